package io.outboxrelay.relay.lane;

import java.time.Duration;
import java.util.function.LongSupplier;

/** A clock that stands still until a test lets time pass. */
final class SettableClock implements LongSupplier {

    private long now = 1_000_000;

    @Override
    public long getAsLong() {
        return now;
    }

    void pass(Duration duration) {
        now += duration.toNanos();
    }
}
