package io.outboxrelay.samples.demo;

import java.util.Map;
import java.util.stream.Collectors;

/**
 * How far the events have come, as the databases say at one moment.
 *
 * @param written events committed
 * @param backlog of these, what is not published yet
 * @param lagSeconds age of the oldest event in an outbox, 0 if there is none
 * @param handled events that the storefront has applied
 * @param orders placed
 * @param open of these, what the saga has not ended for
 * @param owners how many lanes each relay holds, of all sources
 */
record Counts(
        long written,
        long backlog,
        double lagSeconds,
        long handled,
        long orders,
        long open,
        Map<String, Integer> owners) {

    String line(long duplicatesDropped) {
        return "orders %,5d (%,3d open)  written %,6d  published %,6d  lag %4.1f s  handled %,6d  duplicates dropped %,d  %s"
                .formatted(
                        orders,
                        open,
                        written,
                        written - backlog,
                        lagSeconds,
                        handled,
                        duplicatesDropped,
                        owners.entrySet().stream()
                                .map(owner -> "%s: %d lanes".formatted(owner.getKey(), owner.getValue()))
                                .collect(Collectors.joining(" | ")));
    }
}
