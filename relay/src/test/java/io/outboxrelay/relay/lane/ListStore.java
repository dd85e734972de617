package io.outboxrelay.relay.lane;

import io.outboxrelay.relay.lane.Event.Aggregate;
import io.outboxrelay.relay.lane.LaneStore.Incarnation;
import io.outboxrelay.relay.lane.LaneStore.OwnedLane;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.UUID;

/** An outbox in a map. */
final class ListStore implements LaneStore {

    final TreeMap<Long, Event> rows = new TreeMap<>();
    final List<Claim> claims = new ArrayList<>();
    final FailureTable failures = new FailureTable();
    private final SettableClock clock;
    long epoch = 1;
    Incarnation incarnation = new Incarnation("first");
    long closed;
    boolean away;

    ListStore(SettableClock clock) {
        this.clock = clock;
    }

    void write(long position, String aggregateId) {
        write(position, aggregateId, 10);
    }

    void write(long position, String aggregateId, String type) {
        write(position, aggregateId, type, 10);
    }

    void write(long position, String aggregateId, int bytes) {
        write(position, aggregateId, "placed", bytes);
    }

    /** Writes an event that cannot be read. */
    void writeUnreadable(long position, String aggregateId) {
        rows.put(
                position,
                new Event(
                        0,
                        position,
                        new UUID(0, position),
                        new Aggregate("order", aggregateId),
                        "placed",
                        10,
                        new byte[0],
                        "text/plain",
                        "{}",
                        Instant.EPOCH,
                        null,
                        "its row cannot be read"));
    }

    private void write(long position, String aggregateId, String type, int bytes) {
        rows.put(
                position,
                new Event(
                        0,
                        position,
                        new UUID(0, position),
                        new Aggregate("order", aggregateId),
                        type,
                        bytes,
                        new byte[0],
                        "text/plain",
                        "{}",
                        Instant.EPOCH,
                        null));
    }

    @Override
    public Optional<Claimed> claim(Claim claim) {
        claims.add(claim);
        if (claim.owned().epoch() != epoch) {
            return Optional.empty();
        }
        List<Event> events = rows.tailMap(claim.above(), false).values().stream()
                .filter(event -> !claim.without().contains(event.aggregate()))
                .limit(claim.events())
                .toList();
        return Optional.of(new Claimed(incarnation, events, events.size() < claim.events()));
    }

    @Override
    public int settle(OwnedLane owned, Incarnation claimedIn, List<Event> events) {
        if (away) {
            throw new IllegalStateException("the database does not answer");
        }
        int before = rows.size();
        rows.values().removeAll(events);
        return before - rows.size();
    }

    @Override
    public List<Event> due(Due due) {
        return failures.due(due, clock.getAsLong());
    }

    @Override
    public Optional<Blocked> blocked(OwnedLane owned) {
        return owned.epoch() == epoch ? Optional.of(new Blocked(incarnation, failures.blocked())) : Optional.empty();
    }

    @Override
    public Optional<Set<Aggregate>> keep(OwnedLane owned, Incarnation claimedIn, Changes changes) {
        if (away) {
            throw new IllegalStateException("the database does not answer");
        }
        return owned.epoch() == epoch
                ? Optional.of(failures.keep(changes, clock.getAsLong(), event -> rows.remove(event.position(), event)))
                : Optional.empty();
    }

    @Override
    public int resume(OwnedLane owned) {
        return failures.resume(event -> true, clock.getAsLong());
    }

    @Override
    public Closed closed() {
        return new Closed(incarnation, closed);
    }
}
