package io.outboxrelay.relay.gate;

import io.outboxrelay.relay.gate.Subjects.Subject;
import io.outboxrelay.relay.gate.Subjects.Subject.RegisteredVersion;
import io.outboxrelay.relay.gate.Subjects.SubjectTemplate;
import io.outboxrelay.schemas.contract.Compatibility;
import io.outboxrelay.schemas.contract.Contract;
import io.outboxrelay.schemas.contract.Contracts;
import io.outboxrelay.schemas.encoding.DataSchema;
import io.outboxrelay.schemas.encoding.Framing;
import io.outboxrelay.schemas.registry.RegisteredSchema;
import io.outboxrelay.schemas.registry.Registry;
import io.outboxrelay.schemas.registry.RegistryException;
import io.outboxrelay.schemas.registry.RegistryException.Kind;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import org.apache.avro.Schema;
import org.apache.avro.SchemaNormalization;
import org.jspecify.annotations.Nullable;

/** The subjects of a registry; a catalogue beside it only helps to find names, and to say what is wrong. */
final class RegistrySubjects implements Subjects {

    private final Registry registry;
    private final @Nullable Path catalogue;
    private final SubjectTemplate template;

    RegistrySubjects(Registry registry, @Nullable Path catalogue, SubjectTemplate template) {
        this.registry = registry;
        this.catalogue = catalogue;
        this.template = template;
    }

    @Override
    public Subject subject(String name) {
        List<RegisteredVersion> versions = registry.allVersions(name).stream()
                .map(RegistrySubjects::version)
                .toList();
        Compatibility compatibility = versions.isEmpty() ? Compatibility.NONE : registry.compatibility(name);
        return new Subject(name, "the registry " + registry, compatibility, null, versions);
    }

    private static RegisteredVersion version(RegisteredSchema registered) {
        return new RegisteredVersion(
                registered.version(), OptionalInt.of(registered.id()), registered.schema(), registered.identity());
    }

    @Override
    public String of(String aggregateType, String eventType) {
        return contracts()
                .flatMap(contracts -> contracts.byEventType(eventType))
                .map(Contract::subject)
                .orElseGet(() -> template.of(aggregateType, eventType));
    }

    @Override
    public Optional<Schema> elsewhere(Evidence evidence) {
        if (evidence.framing() instanceof Framing.Confluent header) {
            Optional<Schema> registered = registry.byId(header.id());
            if (registered.isPresent()) {
                return registered;
            }
        }
        return contracts().flatMap(contracts -> inCatalogue(contracts, evidence));
    }

    private static Optional<Schema> inCatalogue(Contracts contracts, Evidence evidence) {
        DataSchema claim = evidence.claim();
        if (claim != null) {
            return contracts.byIdentity(claim.identity()).map(version -> version.schema());
        }
        if (!(evidence.framing() instanceof Framing.SingleObject header)) {
            return Optional.empty();
        }
        return contracts.all().stream()
                .flatMap(contract -> contract.versions().stream())
                .map(version -> version.schema())
                .filter(schema -> SchemaNormalization.parsingFingerprint64(schema) == header.fingerprint())
                .findFirst();
    }

    private Optional<Contracts> contracts() {
        return Optional.ofNullable(catalogue).map(Contracts::read);
    }

    @Override
    public void check() {
        registry.check();
    }

    @Override
    public boolean away(RuntimeException failure) {
        return failure instanceof RegistryException refused
                && (refused.kind() == Kind.AWAY || refused.kind() == Kind.FORBIDDEN);
    }
}
