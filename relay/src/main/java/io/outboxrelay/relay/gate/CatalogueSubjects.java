package io.outboxrelay.relay.gate;

import io.outboxrelay.relay.gate.Subjects.Subject;
import io.outboxrelay.relay.gate.Subjects.Subject.RegisteredVersion;
import io.outboxrelay.relay.gate.Subjects.SubjectTemplate;
import io.outboxrelay.schemas.contract.Compatibility;
import io.outboxrelay.schemas.contract.Contract;
import io.outboxrelay.schemas.contract.Contracts;
import io.outboxrelay.schemas.contract.ContractsException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import org.apache.avro.Schema;

/** The contracts of a folder or jar, read anew each time: it may have been replaced. */
final class CatalogueSubjects implements Subjects {

    private final Path place;
    private final SubjectTemplate template;

    CatalogueSubjects(Path place, SubjectTemplate template) {
        this.place = place;
        this.template = template;
    }

    @Override
    public Subject subject(String name) {
        Optional<Contract> contract = Contracts.read(place).bySubject(name);
        return new Subject(
                name,
                "the catalogue " + place,
                contract.map(Contract::compatibility).orElse(Compatibility.NONE),
                contract.map(Contract::eventType).orElse(null),
                contract.map(CatalogueSubjects::versions).orElse(List.of()));
    }

    private static List<RegisteredVersion> versions(Contract contract) {
        return contract.versions().stream()
                .map(version -> new RegisteredVersion(
                        version.number(), OptionalInt.empty(), version.schema(), version.identity()))
                .toList();
    }

    @Override
    public String of(String aggregateType, String eventType) {
        return Contracts.read(place)
                .byEventType(eventType)
                .map(Contract::subject)
                .orElseGet(() -> template.of(aggregateType, eventType));
    }

    @Override
    public Optional<Schema> elsewhere(Evidence evidence) {
        return Optional.empty();
    }

    @Override
    public void check() {
        Contracts.read(place);
    }

    @Override
    public boolean away(RuntimeException failure) {
        return failure instanceof ContractsException;
    }
}
