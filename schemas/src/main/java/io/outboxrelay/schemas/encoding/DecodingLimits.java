package io.outboxrelay.schemas.encoding;

/**
 * What a body may ask of the reader's memory.
 *
 * @param bytes longest body, its header included
 * @param values most values in it: records, elements, entries, fields. Elements of some types take no byte at all, so
 *     that the length of a body alone does not bound them
 * @param depth deepest nesting of records, arrays and maps
 */
public record DecodingLimits(int bytes, int values, int depth) {

    /** Recursion on the reader's stack: four frames of Avro's a level stay far below the usual 512 KiB. */
    private static final int DEEPEST = 500;

    /** 16 MiB like the relay's {@code publish.max-event-bytes}, a million values, 64 levels. */
    public static final DecodingLimits STANDARD = new DecodingLimits(16 << 20, 1_000_000, 64);

    /**
     * Checks the limits.
     *
     * @throws IllegalArgumentException if one of them is less than 1, or the depth more than 500
     */
    public DecodingLimits {
        if (bytes < 1 || values < 1 || depth < 1 || depth > DEEPEST) {
            throw new IllegalArgumentException(
                    "Limits are at least 1 and the depth at most %d, not %d bytes, %d values, %d deep"
                            .formatted(DEEPEST, bytes, values, depth));
        }
    }
}
