package io.outboxrelay.samples.demo;

import java.util.Map;
import java.util.stream.Collectors;

/**
 * How far the events have come at one moment, according to the databases.
 *
 * @param written events committed
 * @param backlog those of them that are not yet published
 * @param lagSeconds age of the oldest event in an outbox, 0 if there is none
 * @param handled events that the storefront has applied
 * @param orders placed
 * @param open those of them whose saga has not ended
 * @param owners number of lanes that each relay owns, over all sources
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
        return ("orders %,5d (%,3d open)  written %,6d  published %,6d  lag %4.1f s  handled %,6d"
                        + "  duplicates dropped %,d  %s")
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
