package io.outboxrelay.client;

import java.time.Duration;

/**
 * How many events to handle in one transaction: it grows from one while transactions are short, so that a slow handler
 * does not keep one open for long. Used by one thread.
 */
final class BatchSize {

    /** A transaction should not be much longer: it holds locks, and the events behind it wait. */
    private static final long LONGEST = Duration.ofMillis(200).toNanos();

    private final int most;
    private int limit = 1;

    BatchSize(int most) {
        this.most = most;
    }

    /** The largest number for the next transaction. */
    int limit() {
        return limit;
    }

    /** A transaction with so many events has committed after so many nanoseconds. */
    void committed(int events, long nanos) {
        if (nanos > LONGEST) {
            limit = Math.max(1, limit / 2);
        } else if (events == limit && nanos < LONGEST / 2) {
            limit = Math.min(most, limit * 2);
        }
    }

    /** A transaction with several events has failed. */
    void failed() {
        limit = 1;
    }
}
