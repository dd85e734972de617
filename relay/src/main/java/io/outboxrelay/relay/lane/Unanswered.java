package io.outboxrelay.relay.lane;

import io.outboxrelay.relay.lane.Event.Aggregate;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.random.RandomGenerator;

/**
 * The aggregates whose event was not answered, and how long each waits until it is published again. Only in memory: the
 * missing answer says nothing about the event.
 */
final class Unanswered {

    private final Map<Aggregate, Long> until = new HashMap<>();
    private final Duration longest;
    private final RandomGenerator random;

    Unanswered(Duration longest, RandomGenerator random) {
        this.longest = longest;
        this.random = random;
    }

    /** Makes an aggregate wait for a random time. */
    void add(Aggregate aggregate, long now) {
        until.put(aggregate, now + random.nextLong(longest.toNanos() + 1));
    }

    /** Returns the aggregates that must not be claimed now, and forgets the others. */
    List<Aggregate> waiting(long now) {
        if (until.isEmpty()) {
            return List.of();
        }
        until.values().removeIf(end -> end - now <= 0);
        return List.copyOf(until.keySet());
    }
}
