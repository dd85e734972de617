package io.outboxrelay.schemas.encoding;

import org.apache.avro.Schema;

/**
 * Walks through a body by its writer's schema without making anything of it, so that whatever it says about lengths and
 * counts is known to fit before memory is asked for. One use, one thread.
 *
 * @see <a href="https://avro.apache.org/docs/1.12.0/specification/#binary-encoding">Avro's binary encoding</a>
 */
final class BodyScan {

    private static final int LONGEST_VARINT = 10;

    private final byte[] body;
    private final DecodingLimits limits;
    private int at;
    private int values;

    private BodyScan(byte[] body, int from, DecodingLimits limits) {
        this.body = body;
        this.at = from;
        this.limits = limits;
    }

    /** A body that its schema cannot have written. Collects the place as it passes through the records around it. */
    private static final class Malformed extends RuntimeException {

        private String place = "";

        Malformed(String problem) {
            super(problem, null, false, false);
        }

        Malformed within(String outer) {
            place = outer + (place.isEmpty() || place.startsWith("[") ? "" : ".") + place;
            return this;
        }
    }

    /**
     * Checks a body from its first byte of data to its end.
     *
     * @throws AvroEventException with the field and what is wrong there
     */
    static void check(Schema writer, byte[] body, int from, DecodingLimits limits) {
        BodyScan scan = new BodyScan(body, from, limits);
        try {
            scan.value(writer, 0);
        } catch (Malformed e) {
            throw new AvroEventException(
                    "The body was not written with the schema %s, or is damaged: %sbyte %d of %d: %s"
                            .formatted(
                                    writer.getFullName(),
                                    e.place.isEmpty() ? "" : "field " + e.place + ", ",
                                    scan.at,
                                    body.length,
                                    e.getMessage()));
        }
        if (scan.at < body.length) {
            throw new AvroEventException(
                    ("The body was not written with the schema %s, or is damaged: it ends at byte %d and %d bytes are"
                                    + " left over")
                            .formatted(writer.getFullName(), scan.at, body.length - scan.at));
        }
    }

    private void value(Schema schema, int depth) {
        if (++values > limits.values()) {
            throw new Malformed("more than " + limits.values() + " values");
        }
        switch (schema.getType()) {
            case RECORD -> record(schema, deeper(depth));
            case ARRAY -> blocks(schema.getElementType(), false, deeper(depth));
            case MAP -> blocks(schema.getValueType(), true, deeper(depth));
            case UNION -> value(schema.getTypes().get(index(schema.getTypes().size(), "union")), depth);
            case ENUM -> index(schema.getEnumSymbols().size(), "enum");
            case FIXED -> skip(schema.getFixedSize());
            case STRING, BYTES -> skip(varint());
            case INT -> integer();
            case LONG -> varint();
            case FLOAT -> skip(Float.BYTES);
            case DOUBLE -> skip(Double.BYTES);
            case BOOLEAN -> bool();
            case NULL -> {
                // takes no byte
            }
        }
    }

    private int deeper(int depth) {
        if (depth >= limits.depth()) {
            throw new Malformed("nested deeper than " + limits.depth() + " levels");
        }
        return depth + 1;
    }

    private void record(Schema schema, int depth) {
        for (Schema.Field field : schema.getFields()) {
            try {
                value(field.schema(), depth);
            } catch (Malformed e) {
                throw e.within(field.name());
            }
        }
    }

    /** Blocks of elements, each with its count before it, and a count of 0 at the end. */
    private void blocks(Schema element, boolean keyed, int depth) {
        try {
            for (long count = blockCount(); count > 0; count = blockCount()) {
                for (long i = 0; i < count; i++) {
                    if (keyed) {
                        skip(varint());
                    }
                    value(element, depth);
                }
            }
        } catch (Malformed e) {
            throw e.within("[]");
        }
    }

    /** A negative count is followed by the size of the block in bytes. */
    private long blockCount() {
        long count = varint();
        if (count < 0) {
            long bytes = varint();
            if (bytes < 0 || bytes > body.length - at || count == Long.MIN_VALUE) {
                throw new Malformed("a block of %d elements in %d bytes, with %d bytes left"
                        .formatted(count, bytes, body.length - at));
            }
            count = -count;
        }
        if (count > limits.values() - values) {
            throw new Malformed("%d elements, which makes more than %d values".formatted(count, limits.values()));
        }
        return count;
    }

    private int index(int size, String what) {
        long index = varint();
        if (index < 0 || index >= size) {
            throw new Malformed("choice %d of %d in the %s".formatted(index, size, what));
        }
        return (int) index;
    }

    private void integer() {
        long value = varint();
        if (value != (int) value) {
            throw new Malformed("a number beyond 32 bits where the schema has an int");
        }
    }

    private void bool() {
        skip(1);
        if (body[at - 1] != 0 && body[at - 1] != 1) {
            throw new Malformed("a boolean that is neither 0 nor 1");
        }
    }

    private void skip(long bytes) {
        if (bytes < 0 || bytes > body.length - at) {
            throw new Malformed("a length of %d with %d bytes left".formatted(bytes, body.length - at));
        }
        at += (int) bytes;
    }

    /** A zig-zag number of variable length. */
    private long varint() {
        long bits = 0;
        for (int i = 0; i < LONGEST_VARINT; i++) {
            if (at >= body.length) {
                throw new Malformed("it is cut off");
            }
            byte next = body[at++];
            bits |= (next & 0x7FL) << 7 * i;
            if (next >= 0) {
                return bits >>> 1 ^ -(bits & 1);
            }
        }
        throw new Malformed("a number of more than 64 bits");
    }
}
