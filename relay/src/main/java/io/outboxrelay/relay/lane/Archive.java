package io.outboxrelay.relay.lane;

import java.util.List;

/** Events that were published before and are to be sent once more, in the order of their places. */
@FunctionalInterface
public interface Archive {

    /**
     * Reads on.
     *
     * @param after the place after which to read; 0 for the beginning
     * @return the next ones, whose {@link Event#position()} is their place; empty when there are no more
     */
    List<Event> next(long after);
}
