package io.outboxrelay.samples.demo;

import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * How far the events have come, as both databases say at one moment.
 *
 * @param written events in the history of the orders: committed
 * @param backlog events that are in the outbox still
 * @param lagSeconds age of the oldest of these, 0 if there is none
 * @param handled events that the storefront has applied
 * @param owners the lanes that each relay holds
 */
record Counts(long written, long backlog, double lagSeconds, long handled, Map<String, List<Integer>> owners) {

    long published() {
        return written - backlog;
    }

    boolean drained() {
        return backlog == 0 && handled >= written;
    }

    String line(long duplicatesDropped) {
        return "written %,6d  published %,6d  backlog %,5d  lag %4.1f s  handled %,6d  duplicates dropped %,d  %s"
                .formatted(written, published(), backlog, lagSeconds, handled, duplicatesDropped, lanes());
    }

    private String lanes() {
        return owners.entrySet().stream()
                .map(owner -> "%s: lanes %s"
                        .formatted(
                                owner.getKey(),
                                owner.getValue().stream().map(String::valueOf).collect(Collectors.joining(" "))))
                .collect(Collectors.joining(" | "));
    }
}
