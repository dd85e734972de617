package io.outboxrelay.client;

import java.time.Duration;
import java.util.concurrent.ThreadLocalRandom;

/**
 * How long to wait after failures in a row: twice as long after each, up to a limit, the upper half of it at random so
 * that many who failed together do not come back together.
 *
 * @param first the longest wait after the first failure
 * @param longest the longest wait of all
 */
record Backoff(Duration first, Duration longest) {

    Backoff {
        if (first.isNegative() || first.isZero() || longest.compareTo(first) < 0) {
            throw new IllegalArgumentException("A backoff from " + first + " to " + longest
                    + " is impossible: the first must be positive and no longer than the longest");
        }
    }

    /** The wait after so many failures in a row, counted from 1. */
    Duration after(int failures) {
        long limit = longest.toNanos();
        long most = failures > 62 ? limit : Math.min(limit, saturatedShift(first.toNanos(), failures - 1));
        return Duration.ofNanos(most / 2 + ThreadLocalRandom.current().nextLong(most / 2 + 1));
    }

    private static long saturatedShift(long value, int bits) {
        return value > Long.MAX_VALUE >> bits ? Long.MAX_VALUE : value << bits;
    }
}
