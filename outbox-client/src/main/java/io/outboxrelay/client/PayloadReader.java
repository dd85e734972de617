package io.outboxrelay.client;

/** Reads the payload of a received event. Safe for use by many threads. */
public interface PayloadReader {

    /**
     * Reads the payload.
     *
     * @param event as it was received
     * @param type what to read it into
     * @return the object
     * @param <T> what to read it into
     * @throws EventRejectedException if the payload is not of this reader's format, or does not fit the type; names the
     *     event and the place, and no value
     */
    <T> T read(ReceivedEvent event, Class<T> type);
}
