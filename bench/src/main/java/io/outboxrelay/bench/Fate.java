package io.outboxrelay.bench;

import java.time.Duration;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import java.util.random.RandomGenerator;

/**
 * Injects faults into one target again and again. Each target has its own thread and generator, so that faults of
 * different targets overlap, and the same seed gives each of them the same faults.
 */
final class Fate implements Callable<Void> {

    /** Between two faults the relays work, so that the next fault can interrupt something. */
    private static final Duration SHORTEST_PAUSE = Duration.ofSeconds(2);

    private static final Duration LONGEST_PAUSE = Duration.ofSeconds(12);

    private final Victim victim;
    private final RandomGenerator random;
    private final long end;

    /**
     * @param victim the target
     * @param random chooses the faults and their times
     * @param end no fault begins after this time, by {@link System#nanoTime}
     */
    Fate(Victim victim, RandomGenerator random, long end) {
        this.victim = victim;
        this.random = random;
        this.end = end;
    }

    /** Returns when the time is over and the target is running. */
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
