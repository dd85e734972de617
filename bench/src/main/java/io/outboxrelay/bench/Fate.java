package io.outboxrelay.bench;

import java.time.Duration;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import java.util.random.RandomGenerator;

/**
 * Strikes one victim again and again. Each victim has a thread and a generator of its own, so that faults of different
 * victims overlap, and the same seed gives each of them the same faults.
 */
final class Fate implements Callable<Void> {

    /** In between the relays get some work done, which the next fault can interrupt. */
    private static final Duration SHORTEST_PAUSE = Duration.ofSeconds(2);

    private static final Duration LONGEST_PAUSE = Duration.ofSeconds(12);

    private final Victim victim;
    private final RandomGenerator random;
    private final long end;

    /**
     * @param victim who is struck
     * @param random decides what happens to it, and when
     * @param end when no new fault begins any more, by {@link System#nanoTime}
     */
    Fate(Victim victim, RandomGenerator random, long end) {
        this.victim = victim;
        this.random = random;
        this.end = end;
    }

    /** Returns when the time is over and the victim is up. */
    @Override
    public Void call() throws Exception {
        while (true) {
            long left = end - System.nanoTime();
            TimeUnit.NANOSECONDS.sleep(Math.min(
                    left, between(random, SHORTEST_PAUSE, LONGEST_PAUSE).toNanos()));
            if (System.nanoTime() - end >= 0) {
                return null;
            }
            try {
                victim.strike(random);
            } catch (IllegalStateException e) {
                throw new IllegalStateException(victim.name() + " did not come back: " + e.getMessage(), e);
            }
        }
    }

    /** A time between two others. */
    static Duration between(RandomGenerator random, Duration shortest, Duration longest) {
        return Duration.ofMillis(random.nextLong(shortest.toMillis(), longest.toMillis()));
    }

    /** Waits for a time between none and the longest. */
    static void waitAtMost(Duration longest, RandomGenerator random) throws InterruptedException {
        TimeUnit.MILLISECONDS.sleep(between(random, Duration.ZERO, longest).toMillis());
    }
}
