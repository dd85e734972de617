package io.outboxrelay.client;

import org.jspecify.annotations.Nullable;

/**
 * Thrown by a handler about an event that no retry can help, for example one that it cannot read. The transaction rolls
 * back, and the event is given up at once, without the attempts that are left. An exception that only has this one as a
 * cause does the same.
 */
public final class EventRejectedException extends RuntimeException {

    /**
     * Rejects an event.
     *
     * @param message why; it is logged, so it must not contain anything of the payload
     */
    public EventRejectedException(String message) {
        super(message);
    }

    /**
     * Rejects an event because of another exception.
     *
     * @param message why; it is logged, so it must not contain anything of the payload
     * @param cause logged too
     */
    public EventRejectedException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }
}
