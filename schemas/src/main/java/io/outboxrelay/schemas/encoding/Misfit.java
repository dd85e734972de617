package io.outboxrelay.schemas.encoding;

import java.io.IOException;
import java.io.OutputStream;
import org.apache.avro.Schema;
import org.apache.avro.generic.GenericData;
import org.apache.avro.generic.IndexedRecord;
import org.apache.avro.io.BinaryEncoder;
import org.apache.avro.io.DatumWriter;
import org.apache.avro.io.EncoderFactory;
import org.jspecify.annotations.Nullable;

/**
 * Finds the field that keeps a record from being encoded. Avro would say it with the field's value, which must not get
 * out.
 */
final class Misfit {

    /** Deeper nesting is told of as a whole. */
    private static final int DEEPEST = 16;

    private Misfit() {}

    /**
     * Describes what does not fit.
     *
     * @param record one that could not be encoded
     * @param data how its values are converted
     * @return field, expected type and the class of what is there; without any value
     */
    static String of(IndexedRecord record, GenericData data) {
        return of(record, data, "", 0);
    }

    private static String of(IndexedRecord record, GenericData data, String outer, int depth) {
        for (Schema.Field field : record.getSchema().getFields()) {
            Object value = record.get(field.pos());
            if (fits(value, field.schema(), data)) {
                continue;
            }
            String path = outer + field.name();
            return value instanceof IndexedRecord inner && fitsAsRecord(inner, field.schema()) && depth < DEEPEST
                    ? of(inner, data, path + ".", depth + 1)
                    : "field %s is of type %s and holds %s".formatted(path, type(field.schema()), kind(value));
        }
        return (outer.isEmpty() ? "the record" : "field " + outer.substring(0, outer.length() - 1))
                + " is not what its schema says";
    }

    private static boolean fits(@Nullable Object value, Schema schema, GenericData data) {
        try {
            BinaryEncoder encoder = EncoderFactory.get().directBinaryEncoder(OutputStream.nullOutputStream(), null);
            @SuppressWarnings("unchecked")
            DatumWriter<Object> writer = data.createDatumWriter(schema);
            writer.write(value, encoder);
            return true;
        } catch (IOException | RuntimeException | StackOverflowError e) {
            return false;
        }
    }

    private static boolean fitsAsRecord(IndexedRecord value, Schema schema) {
        return schema.getType() == Schema.Type.UNION
                ? schema.getTypes().contains(value.getSchema())
                : schema.equals(value.getSchema());
    }

    private static String type(Schema schema) {
        return schema.getType() == Schema.Type.UNION
                ? String.join(
                        " or ", schema.getTypes().stream().map(Misfit::type).toList())
                : schema.getFullName();
    }

    private static String kind(@Nullable Object value) {
        return value == null ? "nothing" : "a " + value.getClass().getName();
    }
}
