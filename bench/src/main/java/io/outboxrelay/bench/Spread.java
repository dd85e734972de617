package io.outboxrelay.bench;

import java.util.Collection;
import java.util.Locale;

/**
 * What several measurements of one thing have shown.
 *
 * @param median the value in the middle
 * @param min the least
 * @param max the greatest
 */
record Spread(double median, double min, double max) {

    /** Of at least one value. */
    static Spread of(Collection<Double> values) {
        double[] sorted =
                values.stream().mapToDouble(Double::doubleValue).sorted().toArray();
        int middle = sorted.length / 2;
        double median = sorted.length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
        return new Spread(median, sorted[0], sorted[sorted.length - 1]);
    }

    /**
     * The median with the others in brackets.
     *
     * @param format of each value, such as {@code %.2f}
     * @return such as {@code 0.93 (0.91..0.95)}
     */
    String text(String format) {
        return "%s (%s..%s)".formatted(one(format, median), one(format, min), one(format, max));
    }

    private static String one(String format, double value) {
        return String.format(Locale.ROOT, format, value);
    }
}
