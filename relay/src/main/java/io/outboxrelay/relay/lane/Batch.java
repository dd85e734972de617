package io.outboxrelay.relay.lane;

import io.outboxrelay.relay.lane.Event.Aggregate;
import io.outboxrelay.relay.lane.FailurePolicy.Failed;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * The events of one cycle, and which of them may be published next: of each aggregate only the first that is not
 * confirmed. After any other outcome than a confirmation, the aggregate's later events stay behind.
 */
final class Batch {

    private final int eventsPerAggregate;
    private final int windowEvents;
    private final Map<Aggregate, Deque<Event>> byAggregate = new HashMap<>();
    private final Deque<Event> sendable = new ArrayDeque<>();
    private final List<Event> confirmed = new ArrayList<>();
    private final List<Event> published = new ArrayList<>();
    private final List<Failed> failed = new ArrayList<>();
    private final List<Event> followers = new ArrayList<>();
    private long firstLeftBehind = Long.MAX_VALUE;

    /** Aggregates of which an event is sendable or in flight, and how many of them there were at most. */
    private int moving;

    private int most;
    private int read;
    private int finished;
    private boolean more;

    /**
     * @param eventsPerAggregate maximum number of events of one aggregate
     * @param windowEvents maximum number of events in flight
     */
    Batch(int eventsPerAggregate, int windowEvents) {
        this.eventsPerAggregate = eventsPerAggregate;
        this.windowEvents = windowEvents;
    }

    /**
     * Adds the events of a claim. Those beyond the limit of an aggregate stay behind; those of a blocked aggregate
     * become followers, which are not published. If this cycle tries the failures of an aggregate, its other events
     * stay behind: it may be free at the end.
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

    /** Adds an event, unless there are enough of its aggregate; then it stays behind. */
    void add(Event event) {
        Deque<Event> siblings = byAggregate.computeIfAbsent(event.aggregate(), a -> new ArrayDeque<>(2));
        if (siblings.size() == eventsPerAggregate) {
            leaveBehind(event);
            return;
        }
        if (siblings.isEmpty()) {
            sendable.add(event);
            most = Math.max(most, ++moving);
        }
        siblings.add(event);
        read++;
    }

    /** Says that another claim may read other events. */
    void thereIsMore() {
        more = true;
    }

    /**
     * Returns whether a new claim is better than the rest of this batch: fewer than half as many events as before can
     * be in flight at once, because the others wait for an answer to the one before them, and a claim may find others.
     * What is left is read again, so it is less than half of the batch.
     */
    boolean isThin() {
        return more && 2 * moving < Math.min(most, windowEvents) && 2 * finished > read;
    }

    /** Returns whether there is no event to publish. */
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

    /** Finishes an event: the next one of its aggregate may be published. */
    void done(Event event) {
        Deque<Event> siblings = siblings(event);
        siblings.remove();
        finished++;
        (event.kept() == null ? confirmed : published).add(event);
        if (siblings.isEmpty()) {
            moving--;
        } else {
            sendable.add(siblings.element());
        }
    }

    /** Leaves an event where it is: its aggregate waits. */
    void unanswered(Event event) {
        moving--;
        leaveBehind(siblings(event).element());
    }

    /** Moves an event to the failures: the later ones of its aggregate stay behind. */
    void failed(Failed failure) {
        Deque<Event> siblings = siblings(failure.event());
        siblings.remove();
        failed.add(failure);
        finished++;
        moving--;
        if (!siblings.isEmpty()) {
            leaveBehind(siblings.element());
        }
    }

    /** The published events of the outbox, in the order of their confirmation. */
    List<Event> confirmed() {
        return confirmed;
    }

    /** The changes to the failures. */
    LaneStore.Changes changes() {
        return new LaneStore.Changes(published, failed, followers);
    }

    /** Leaves the events in the outbox that were not published. */
    void leaveUnsent() {
        sendable.forEach(this::leaveBehind);
        sendable.clear();
    }

    /** Lowest position that was read and stays in the outbox; {@link Long#MAX_VALUE} if there is none. */
    long firstLeftBehind() {
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
