package io.outboxrelay.bench;

import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;

/**
 * How much of a heap was in use in the course of a run.
 *
 * @param bytes at equal distances, at least two
 */
record HeapCurve(List<Long> bytes) {

    /** What differs between two collections of a consumer that keeps nothing: what is in hand, and the code's own. */
    private static final long NOISE_BYTES = 2 * 1024 * 1024;

    private static final double MEGABYTE = 1024 * 1024;

    /** Whether the second half never exceeds the first one by more than a tenth and the noise. */
    boolean isFlat() {
        return highestLate() <= highestEarly() * 1.1 + NOISE_BYTES;
    }

    String verdict() {
        return String.format(
                Locale.ROOT,
                "flat=%s first_half_mb=%.1f second_half_mb=%.1f",
                isFlat() ? "yes" : "no",
                highestEarly() / MEGABYTE,
                highestLate() / MEGABYTE);
    }

    @Override
    public String toString() {
        return bytes.stream()
                .map(used -> String.format(Locale.ROOT, "%.1f MB", used / MEGABYTE))
                .collect(Collectors.joining(", "));
    }

    private long highestEarly() {
        return highest(bytes.subList(0, bytes.size() / 2));
    }

    private long highestLate() {
        return highest(bytes.subList(bytes.size() / 2, bytes.size()));
    }

    private static long highest(List<Long> part) {
        return part.stream().mapToLong(Long::longValue).max().orElseThrow();
    }
}
