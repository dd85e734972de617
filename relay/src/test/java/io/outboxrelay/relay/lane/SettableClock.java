package io.outboxrelay.relay.lane;

import java.time.Duration;

/** A clock that stands still until a test lets time pass. */
final class SettableClock implements Clock {

    private long now = 1_000_000;

    @Override
    public long nanoTime() {
        return now;
    }

    void pass(Duration duration) {
        now += duration.toNanos();
    }
}
