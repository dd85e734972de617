package io.outboxrelay.bench;

import java.time.Duration;
import java.util.Locale;

/**
 * One measured run.
 *
 * @param contender the publisher
 * @param kind to what
 * @param events how many messages arrived
 * @param duringDrain how many of them between the first and the last measurement
 * @param drain time between these: from the first message in the queue to the last one, and the last event settled
 * @param whole time from the start of the contender's process
 * @param cpu the processor time that was used in the drain; for people to read
 * @param remarks the contender's own figures
 */
record Drain(
        String contender,
        QueueKind kind,
        long events,
        long duringDrain,
        Duration drain,
        Duration whole,
        String cpu,
        String remarks) {

    /** Messages a second, without the start of the JVM. */
    double rate() {
        return duringDrain / seconds(drain);
    }

    String describe() {
        String text = String.format(
                Locale.ROOT,
                "%s %s: %,.0f/s (%,d events in the queue, %.2f s from first to last);"
                        + " %,.0f/s with the start of the JVM%n  %s",
                kind,
                contender,
                rate(),
                events,
                seconds(drain),
                events / seconds(whole),
                cpu);
        return remarks.isEmpty() ? text : text + System.lineSeparator() + "  " + remarks;
    }

    private static double seconds(Duration duration) {
        return duration.toNanos() / 1e9;
    }
}
