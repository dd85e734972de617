package io.outboxrelay.schemas.registry;

import io.outboxrelay.schemas.contract.SchemaIdentity;
import org.apache.avro.Schema;

/**
 * A version of a subject in a registry.
 *
 * @param subject the subject
 * @param version its number within the subject
 * @param id its number within the registry
 * @param schema stands by itself: what it refers to is in it
 * @param identity of the schema
 */
public record RegisteredSchema(String subject, int version, int id, Schema schema, SchemaIdentity identity) {

    RegisteredSchema(String subject, int version, int id, Schema schema) {
        this(subject, version, id, schema, SchemaIdentity.of(schema));
    }

    /** The subject, the version and the id, for people. */
    @Override
    public String toString() {
        return "%s version %d (id %d)".formatted(subject, version, id);
    }
}
