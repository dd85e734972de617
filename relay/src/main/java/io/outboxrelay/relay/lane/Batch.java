package io.outboxrelay.relay.lane;

import io.outboxrelay.relay.lane.FailurePolicy.Failed;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * The events of one cycle and who may go next: of each aggregate only the first that is not yet confirmed. After any
 * other outcome than a confirmation the aggregate's later events stay behind.
 */
final class Batch {

    private final int eventsPerAggregate;
    private final Map<Aggregate, Deque<Event>> byAggregate = new HashMap<>();
    private final Deque<Event> sendable = new ArrayDeque<>();
    private final List<Event> confirmed = new ArrayList<>();
    private final List<Event> published = new ArrayList<>();
    private final List<Failed> failed = new ArrayList<>();
    private final List<Event> followers = new ArrayList<>();
    private long firstLeftBehind = Long.MAX_VALUE;

    Batch(int eventsPerAggregate) {
        this.eventsPerAggregate = eventsPerAggregate;
    }

    /**
     * Takes what a claim read: at most so many events of one aggregate, and those of blocked ones not to publish them. Where
     * failures of an aggregate are tried in this very cycle, its others stay behind: it may be free at the end.
     */
    void add(List<Event> events, Set<Aggregate> blocked) {
        Set<Aggregate> tried = blocked.isEmpty() ? Set.of() : Set.copyOf(byAggregate.keySet());
        for (Event event : events) {
            if (blocked.contains(event.aggregate()) && tried.contains(event.aggregate())) {
                leaveBehind(event);
            } else if (blocked.contains(event.aggregate())) {
                followers.add(event);
            } else {
                add(event);
            }
        }
    }

    /** Takes an event, unless there are enough of its aggregate; then it stays behind. */
    void add(Event event) {
        Deque<Event> siblings = byAggregate.computeIfAbsent(event.aggregate(), a -> new ArrayDeque<>(2));
        if (siblings.size() == eventsPerAggregate) {
            leaveBehind(event);
            return;
        }
        if (siblings.isEmpty()) {
            sendable.add(event);
        }
        siblings.add(event);
    }

    /** Returns whether nothing was taken that could be published. */
    boolean isEmpty() {
        return byAggregate.isEmpty();
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

    /** The event is done with: its aggregate's next one may go. */
    void done(Event event) {
        Deque<Event> siblings = siblings(event);
        siblings.remove();
        (event.kept() == null ? confirmed : published).add(event);
        if (!siblings.isEmpty()) {
            sendable.add(siblings.element());
        }
    }

    /** The event stays where it is: its aggregate waits. */
    void unanswered(Event event) {
        leaveBehind(siblings(event).element());
    }

    /** The event goes to the failures: its aggregate's later ones stay behind. */
    void failed(Failed failure) {
        Deque<Event> siblings = siblings(failure.event());
        siblings.remove();
        failed.add(failure);
        if (!siblings.isEmpty()) {
            leaveBehind(siblings.element());
        }
    }

    /** The published events of the outbox, in the order of their confirmation. */
    List<Event> confirmed() {
        return confirmed;
    }

    /** What is to be written to the failures. */
    LaneStore.Changes changes() {
        return new LaneStore.Changes(published, failed, followers);
    }

    /** Lowest position that was read and stays in the outbox; {@link Long#MAX_VALUE} if there is none. */
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
        if (event.kept() == null) {
            firstLeftBehind = Math.min(firstLeftBehind, event.position());
        }
    }
}
