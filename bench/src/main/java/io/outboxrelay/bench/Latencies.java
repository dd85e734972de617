package io.outboxrelay.bench;

import java.util.Arrays;
import java.util.Collection;
import java.util.Locale;
import java.util.stream.DoubleStream;

/**
 * The times from commit to receipt of all events of a run.
 *
 * @param sorted milliseconds, the shortest first; at least one
 */
record Latencies(double[] sorted) {

    /** Of times in any order. */
    static Latencies of(DoubleStream milliseconds) {
        return new Latencies(milliseconds.sorted().toArray());
    }

    /**
     * The shortest time that is not exceeded by a share of the events.
     *
     * @param share above 0 and at most 1
     */
    double quantile(double share) {
        return sorted[(int) Math.ceil(share * sorted.length) - 1];
    }

    /** The same quantile of several runs. */
    static Spread quantiles(Collection<Latencies> runs, double share) {
        return Spread.of(runs.stream().map(run -> run.quantile(share)).toList());
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Latencies latencies && Arrays.equals(sorted, latencies.sorted);
    }

    @Override
    public int hashCode() {
        return Arrays.hashCode(sorted);
    }

    @Override
    public String toString() {
        return String.format(
                Locale.ROOT,
                "p50 %.1f ms, p99 %.1f ms, max %.1f ms of %,d events",
                quantile(0.5),
                quantile(0.99),
                quantile(1),
                sorted.length);
    }
}
