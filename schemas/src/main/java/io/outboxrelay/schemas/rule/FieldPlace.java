package io.outboxrelay.schemas.rule;

import org.apache.avro.Schema;
import org.jspecify.annotations.Nullable;

/**
 * A field in both versions of its record, or in one of them.
 *
 * @param record where the record is
 * @param was the field of the old version; null if there was none
 * @param is the field of the new version; null if there is none
 */
record FieldPlace(Place record, Schema.@Nullable Field was, Schema.@Nullable Field is) {

    private static final String NONE = "no such field";

    String path() {
        Schema.Field field = is == null ? was : is;
        return record.path() + "." + (field == null ? "" : field.name());
    }

    String old() {
        return was == null ? NONE : SchemaText.of(record.old(), was);
    }

    String now() {
        return is == null ? NONE : SchemaText.of(record.now(), is);
    }
}
