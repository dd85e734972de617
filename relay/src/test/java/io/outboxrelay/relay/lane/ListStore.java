package io.outboxrelay.relay.lane;

import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;
import java.util.UUID;

/** An outbox in a map. */
final class ListStore implements LaneStore {

    final TreeMap<Long, Event> rows = new TreeMap<>();
    final List<Claim> claims = new ArrayList<>();
    long closed;
    boolean away;

    void write(long position, String aggregateId) {
        write(position, aggregateId, 10);
    }

    void write(long position, String aggregateId, int bytes) {
        rows.put(
                position,
                new Event(
                        position,
                        new UUID(0, position),
                        new Aggregate("order", aggregateId),
                        "placed",
                        bytes,
                        new byte[0],
                        "text/plain",
                        "{}",
                        Instant.EPOCH));
    }

    @Override
    public Claimed claim(Claim claim) {
        claims.add(claim);
        List<Event> events = rows.tailMap(claim.above(), false).values().stream()
                .filter(event -> !claim.without().contains(event.aggregate()))
                .limit(claim.events())
                .toList();
        return new Claimed(events, events.size() < claim.events());
    }

    @Override
    public int settle(int lane, List<Event> events) {
        if (away) {
            throw new IllegalStateException("the database does not answer");
        }
        int before = rows.size();
        rows.values().removeAll(events);
        return before - rows.size();
    }

    @Override
    public long closed() {
        return closed;
    }
}
