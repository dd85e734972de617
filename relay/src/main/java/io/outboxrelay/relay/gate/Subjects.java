package io.outboxrelay.relay.gate;

import io.outboxrelay.relay.gate.Judge.Evidence;
import io.outboxrelay.relay.gate.Subjects.Subject.RegisteredVersion;
import io.outboxrelay.schemas.contract.Compatibility;
import io.outboxrelay.schemas.contract.Contract;
import io.outboxrelay.schemas.contract.Contracts;
import io.outboxrelay.schemas.contract.ContractsException;
import io.outboxrelay.schemas.contract.SchemaIdentity;
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
import java.util.stream.Collectors;
import org.apache.avro.Schema;
import org.apache.avro.SchemaNormalization;
import org.jspecify.annotations.Nullable;

/** Knows which versions are registered. An exception means that it could not be asked. */
interface Subjects {

    /** {@return a subject as it is now} */
    Subject subject(String name);

    /** {@return the subject of events of these types that name none} */
    String of(String aggregateType, String eventType);

    /**
     * Finds the schema of an event that is no version of its subject, so that a message can say what is wrong with it.
     */
    Optional<Schema> elsewhere(Evidence evidence);

    /** Throws an exception if it cannot be asked. */
    void check();

    /** Whether this exception concerns all subjects, and not only the requested one. */
    boolean away(RuntimeException failure);

    /**
     * Builds the name of a subject from the types of an event.
     *
     * @param text with the placeholders {@code {aggregate_type}} and {@code {event_type}}; the types are inserted
     *     unchanged
     */
    record SubjectTemplate(String text) {

        String of(String aggregateType, String eventType) {
            return text.replace("{aggregate_type}", aggregateType).replace("{event_type}", eventType);
        }

        /** Whether the name depends on this placeholder. */
        boolean needs(String placeholder) {
            return text.contains(placeholder);
        }
    }

    /**
     * A subject as it is registered.
     *
     * @param name its name
     * @param where the catalogue or registry, for people
     * @param compatibility what its versions promise
     * @param eventType the type of its events; null if unknown
     * @param versions the oldest first; empty when there is no such subject
     */
    record Subject(
            String name,
            String where,
            Compatibility compatibility,
            @Nullable String eventType,
            List<RegisteredVersion> versions) {

        /**
         * A version of it.
         *
         * @param number within the subject
         * @param id assigned by a registry; empty in a catalogue
         * @param schema itself
         * @param identity of the schema
         */
        record RegisteredVersion(int number, OptionalInt id, Schema schema, SchemaIdentity identity) {

            /** Whether a payload with this beginning can have been written with it. */
            boolean fits(@Nullable Framing framing) {
                if (framing instanceof Framing.SingleObject header) {
                    return header.fingerprint() == SchemaNormalization.parsingFingerprint64(schema);
                }
                if (framing instanceof Framing.Confluent header) {
                    return id.isEmpty() || id.getAsInt() == header.id();
                }
                return true;
            }
        }

        Optional<RegisteredVersion> version(int number) {
            return versions.stream()
                    .filter(version -> version.number() == number)
                    .findFirst();
        }

        /** Its versions, for people. */
        String known() {
            return versions.isEmpty()
                    ? "is not in " + where
                    : "has in " + where + " the versions "
                            + versions.stream()
                                    .map(version -> String.valueOf(version.number()))
                                    .collect(Collectors.joining(", "));
        }
    }

    /** The contracts of a folder or jar, read again each time: it may have been replaced. */
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

    /** The subjects of a registry; a catalogue beside it only helps to find names and to explain faults. */
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
}
