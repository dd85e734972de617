package io.outboxrelay.relay.lane;

import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.random.RandomGenerator;

/**
 * The aggregates that wait after a failed attempt, and until when: exponential backoff with full jitter. They are kept
 * in memory: a new owner of the lane tries each of them once at once and then waits as well.
 */
final class Backoffs {

    /** So many waiting aggregates make a claim expensive and say that something larger is wrong. */
    static final int MOST = 10_000;

    private static final int MOST_DOUBLINGS = 30;

    private record Wait(int attempts, long until) {}

    private final Map<Aggregate, Wait> waits = new HashMap<>();
    private final Duration first;
    private final Duration longest;
    private final RandomGenerator random;

    Backoffs(Duration first, Duration longest, RandomGenerator random) {
        this.first = first;
        this.longest = longest;
        this.random = random;
    }

    /** Lets an aggregate wait whose event was not answered: that says nothing about the event. */
    void unanswered(Aggregate aggregate, long now) {
        Wait before = waits.get(aggregate);
        waits.put(
                aggregate, new Wait(before == null ? 0 : before.attempts, now + random.nextLong(first.toNanos() + 1)));
    }

    /** Notes a failed attempt and lets the aggregate wait. */
    void failed(Aggregate aggregate, long now) {
        Wait before = waits.get(aggregate);
        int attempts = before == null ? 1 : before.attempts + 1;
        long bound = Math.min(longest.toNanos(), first.toNanos() << Math.min(attempts - 1, doublingsWithoutOverflow()));
        waits.put(aggregate, new Wait(attempts, now + random.nextLong(bound + 1)));
    }

    /** The aggregate's attempt succeeded: the next failure will be a first one. */
    void succeeded(Aggregate aggregate) {
        if (!waits.isEmpty()) {
            waits.remove(aggregate);
        }
    }

    /**
     * Returns who must not be claimed now. Forgets those whose wait ended so long ago that their event must have gone
     * by another way.
     */
    List<Aggregate> waiting(long now) {
        if (waits.isEmpty()) {
            return List.of();
        }
        long forgetAfter = 2 * longest.toNanos();
        waits.values().removeIf(wait -> now - wait.until > forgetAfter);
        return waits.entrySet().stream()
                .filter(entry -> entry.getValue().until - now > 0)
                .map(Map.Entry::getKey)
                .toList();
    }

    private int doublingsWithoutOverflow() {
        return Math.min(MOST_DOUBLINGS, Long.numberOfLeadingZeros(first.toNanos()) - 1);
    }
}
