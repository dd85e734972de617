package io.outboxrelay.relay.lane;

import java.time.Duration;
import java.util.random.RandomGenerator;

/**
 * How long to wait after a failure: exponential with full jitter, a random time up to a bound that doubles with each
 * failure. So relays that have lost a server together do not return together.
 *
 * @param first bound after the first failure
 * @param longest bound of all
 */
public record Backoff(Duration first, Duration longest) {

    private static final int MOST_DOUBLINGS = 30;

    /**
     * Returns the wait.
     *
     * @param failures number of failures in a row, from 1
     * @param random jitter
     */
    public Duration after(int failures, RandomGenerator random) {
        int doublings =
                Math.min(failures - 1, Math.min(MOST_DOUBLINGS, Long.numberOfLeadingZeros(first.toNanos()) - 1));
        long bound = Math.min(longest.toNanos(), first.toNanos() << doublings);
        return Duration.ofNanos(random.nextLong(bound + 1));
    }
}
