package io.outboxrelay.relay.gate;

import io.outboxrelay.schemas.contract.Compatibility;
import io.outboxrelay.schemas.contract.SchemaIdentity;
import io.outboxrelay.schemas.encoding.Framing;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.stream.Collectors;
import org.apache.avro.Schema;
import org.apache.avro.SchemaNormalization;
import org.jspecify.annotations.Nullable;

/** Whoever knows which versions are registered. An exception means that it could not be asked. */
interface Subjects {

    /** Returns a subject as it is now. */
    Subject subject(String name);

    /** Returns the subject that events of these types belong to when they name none. */
    String of(String aggregateType, String eventType);

    /** Finds a schema that is in no version of the event's subject, to be able to say what is wrong with it. */
    Optional<Schema> elsewhere(Evidence evidence);

    /** Does nothing when it can be asked. */
    void check();

    /** Whether an exception of this says that nobody can be told anything, and not only of the one that was asked for. */
    boolean away(RuntimeException failure);

    /**
     * Makes a subject's name of an event's types.
     *
     * @param text with {@code {aggregate_type}} and {@code {event_type}}, for which the types are put in as they stand
     */
    record SubjectTemplate(String text) {

        String of(String aggregateType, String eventType) {
            return text.replace("{aggregate_type}", aggregateType).replace("{event_type}", eventType);
        }

        /** Whether the name can be told for a rule that leaves a type open. */
        boolean needs(String placeholder) {
            return text.contains(placeholder);
        }
    }

    /**
     * A subject as it is registered.
     *
     * @param name its name
     * @param where whoever says so, for people
     * @param compatibility what its versions promise
     * @param eventType the type of its events; null where that is not known
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
         * @param id that a registry gave it; empty in a catalogue
         * @param schema itself
         * @param identity of the schema
         */
        record RegisteredVersion(int number, OptionalInt id, Schema schema, SchemaIdentity identity) {

            /** Whether a payload that begins so can have been written with it. */
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
}
