package io.outboxrelay.relay.lane;

import static java.util.stream.Collectors.toSet;

import io.outboxrelay.relay.lane.Event.Aggregate;
import io.outboxrelay.relay.lane.FailurePolicy.Failed;
import io.outboxrelay.relay.lane.LaneStore.Changes;
import io.outboxrelay.relay.lane.LaneStore.Due;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Predicate;
import java.util.stream.Stream;

/** The failures of one lane in a map: what a database does with them, in few words. */
final class FailureTable {

    enum State {
        RETRYING,
        PARKED,
        PAUSED,
        WAITING
    }

    static final long NEVER = Long.MAX_VALUE;

    /** One row. */
    static final class Row {

        final long id;
        final Event event;
        State state = State.WAITING;
        boolean blocking = true;
        int attempts;
        int failures;
        long nextAttemptAt = NEVER;
        long returnedSince = NEVER;
        String detail = "";

        Row(long id, Event event) {
            this.id = id;
            this.event = event;
        }

        private Row copy() {
            Row copy = new Row(id, event);
            copy.state = state;
            copy.blocking = blocking;
            copy.attempts = attempts;
            copy.failures = failures;
            copy.nextAttemptAt = nextAttemptAt;
            copy.returnedSince = returnedSince;
            return copy;
        }

        private Event kept(long now) {
            return new Event(
                    event.lane(),
                    event.position(),
                    event.id(),
                    event.aggregate(),
                    event.type(),
                    event.payloadBytes(),
                    event.payload(),
                    event.contentType(),
                    event.headers(),
                    event.occurredAt(),
                    new Event.Kept(
                            id,
                            attempts,
                            failures,
                            Duration.ofNanos(returnedSince == NEVER ? 0 : now - returnedSince),
                            state == State.PARKED));
        }

        private void set(Failed failed, long now) {
            state = State.valueOf(failed.state().name());
            blocking = failed.blocking();
            attempts = failed.attempts();
            failures = failed.failures();
            nextAttemptAt =
                    failed.backoff() == null ? NEVER : now + failed.backoff().toNanos();
            returnedSince = failed.returned() ? Math.min(now, returnedSince) : NEVER;
            detail = failed.detail();
        }
    }

    final Map<Long, Row> rows = new TreeMap<>();
    private long lastId;

    /** The current contents, for {@link #restore}. */
    FailureTable copy() {
        FailureTable copy = new FailureTable();
        copy.restore(this);
        return copy;
    }

    /** Restores earlier contents. */
    void restore(FailureTable earlier) {
        rows.clear();
        earlier.rows.forEach((id, row) -> rows.put(id, row.copy()));
        lastId = earlier.lastId;
    }

    List<Event> due(Due due, long now) {
        List<Event> events = new ArrayList<>();
        for (List<Row> blocking : byAggregate(row -> row.blocking).values()) {
            Row head = blocking.get(0);
            if (head.nextAttemptAt <= now) {
                blocking.stream()
                        .limit(due.eventsPerAggregate())
                        .takeWhile(row -> row == head || row.state == State.WAITING)
                        .forEach(row -> events.add(row.kept(now)));
            }
        }
        return events.subList(0, Math.min(due.events(), events.size()));
    }

    Set<Aggregate> blocked() {
        return new HashSet<>(byAggregate(row -> row.blocking).keySet());
    }

    /** Writes changes; an event from the outbox is added only if it was still there. */
    Set<Aggregate> keep(Changes changes, long now, Predicate<Event> takenFromOutbox) {
        changes.published().forEach(event -> rows.remove(event.kept().id()));
        for (Failed failed : changes.failed()) {
            Event event = failed.event();
            Optional.ofNullable(
                            event.kept() == null
                                    ? added(event, takenFromOutbox)
                                    : rows.get(event.kept().id()))
                    .filter(row -> event.kept() == null || event.kept().attempts() == row.attempts)
                    .ifPresent(row -> row.set(failed, now));
        }
        holdBack(changes.failed().stream()
                .map(failed -> failed.event().aggregate())
                .collect(toSet()));
        changes.followers().forEach(event -> added(event, takenFromOutbox));
        Set<Aggregate> touched = Stream.of(
                        changes.published().stream(),
                        changes.failed().stream().map(Failed::event),
                        changes.followers().stream())
                .flatMap(events -> events)
                .map(Event::aggregate)
                .collect(toSet());
        moveUp(touched, now);
        touched.removeAll(blocked());
        return touched;
    }

    /** A person wants parked events tried again. */
    void retry(Predicate<Row> which, long now) {
        List<Row> retried = rows.values().stream()
                .filter(row -> row.state == State.PARKED)
                .filter(which)
                .toList();
        retried.forEach(row -> {
            row.state = State.WAITING;
            row.blocking = true;
            row.attempts = 0;
            row.failures = 0;
            row.nextAttemptAt = NEVER;
            row.returnedSince = NEVER;
        });
        holdBack(aggregates(retried));
        moveUp(aggregates(retried), now);
    }

    /** Resumes paused events. */
    int resume(Predicate<Event> which, long now) {
        List<Row> resumed = rows.values().stream()
                .filter(row -> row.state == State.PAUSED && which.test(row.event))
                .toList();
        resumed.forEach(row -> row.state = State.WAITING);
        moveUp(aggregates(resumed), now);
        return resumed.size();
    }

    /** A person discards an event. */
    void discard(Row row, long now) {
        rows.remove(row.id);
        moveUp(Set.of(row.event.aggregate()), now);
    }

    private static Set<Aggregate> aggregates(List<Row> rows) {
        return rows.stream().map(row -> row.event.aggregate()).collect(toSet());
    }

    private Row added(Event event, Predicate<Event> takenFromOutbox) {
        if (!takenFromOutbox.test(event)) {
            return null;
        }
        Row row = new Row(++lastId, event);
        rows.put(row.id, row);
        return row;
    }

    /** As weak as the statement of that name: only these aggregates, and only retried events. */
    private void holdBack(Set<Aggregate> touched) {
        blocking(touched)
                .forEach(rowsOfOne -> rowsOfOne.stream()
                        .skip(1)
                        .filter(row -> row.nextAttemptAt != NEVER)
                        .forEach(row -> {
                            row.state = State.WAITING;
                            row.nextAttemptAt = NEVER;
                        }));
    }

    /** As weak as the statement of that name: only of these aggregates, and only the first. */
    private void moveUp(Set<Aggregate> touched, long now) {
        blocking(touched).map(rowsOfOne -> rowsOfOne.get(0)).forEach(head -> {
            if (head.state == State.WAITING) {
                head.state = State.RETRYING;
                head.nextAttemptAt = now;
            }
        });
    }

    private Stream<List<Row>> blocking(Set<Aggregate> touched) {
        return byAggregate(row -> row.blocking && touched.contains(row.event.aggregate())).values().stream();
    }

    private Map<Aggregate, List<Row>> byAggregate(Predicate<Row> which) {
        Map<Aggregate, List<Row>> grouped = new LinkedHashMap<>();
        rows.values().stream()
                .filter(which)
                .forEach(row -> grouped.computeIfAbsent(row.event.aggregate(), a -> new ArrayList<>())
                        .add(row));
        return grouped;
    }
}
