package io.outboxrelay.relay.lane;

/** Time that only runs forward; the host's date does not matter. */
@FunctionalInterface
public interface Clock {

    /** Returns nanoseconds since some fixed moment, as {@link System#nanoTime()} does. */
    long nanoTime();
}
