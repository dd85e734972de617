package io.outboxrelay.relay.lane;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * The events of one cycle and who may go next: of each aggregate only the first that is not yet confirmed. After any
 * other outcome than a confirmation the aggregate's later events stay behind.
 */
final class Batch {

    private final int eventsPerAggregate;
    private final Map<Aggregate, Deque<Event>> byAggregate = new HashMap<>();
    private final Deque<Event> sendable = new ArrayDeque<>();
    private final List<Event> confirmed = new ArrayList<>();
    private long firstLeftBehind = Long.MAX_VALUE;

    Batch(int eventsPerAggregate) {
        this.eventsPerAggregate = eventsPerAggregate;
    }

    /** Takes what a claim read, at most so many events of one aggregate; the rest stays behind. */
    void add(List<Event> events) {
        for (Event event : events) {
            Deque<Event> siblings = byAggregate.computeIfAbsent(event.aggregate(), a -> new ArrayDeque<>(2));
            if (siblings.size() == eventsPerAggregate) {
                leaveBehind(event);
                continue;
            }
            if (siblings.isEmpty()) {
                sendable.add(event);
            }
            siblings.add(event);
        }
    }

    boolean hasSendable() {
        return !sendable.isEmpty();
    }

    Event peek() {
        return sendable.element();
    }

    Event next() {
        return sendable.remove();
    }

    /** The event is published: its aggregate's next one may go. */
    void confirmed(Event event) {
        Deque<Event> siblings = siblings(event);
        siblings.remove();
        confirmed.add(event);
        if (!siblings.isEmpty()) {
            sendable.add(siblings.element());
        }
    }

    /** The event is not published: its aggregate waits. */
    void failed(Event event) {
        leaveBehind(siblings(event).element());
    }

    /** The published events, in the order of their confirmation. */
    List<Event> confirmed() {
        return confirmed;
    }

    /** Lowest position that was read and is not published; {@link Long#MAX_VALUE} if there is none. */
    long firstLeftBehind() {
        sendable.forEach(this::leaveBehind);
        return firstLeftBehind;
    }

    private Deque<Event> siblings(Event event) {
        Deque<Event> siblings = byAggregate.get(event.aggregate());
        if (siblings == null || siblings.peek() != event) {
            throw new IllegalStateException("An answer came for " + event + ", which is not its aggregate's next one");
        }
        return siblings;
    }

    private void leaveBehind(Event event) {
        firstLeftBehind = Math.min(firstLeftBehind, event.position());
    }
}
