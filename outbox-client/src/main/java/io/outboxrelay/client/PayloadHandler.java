package io.outboxrelay.client;

/**
 * What a service does about events of one type, with their payload already read. Otherwise like {@link EventHandler}.
 *
 * @param <T> what the payload was read into
 */
@FunctionalInterface
public interface PayloadHandler<T> {

    /**
     * Applies the event, inside the transaction that also notes it in the inbox.
     *
     * @param payload what happened
     * @param event with id, aggregate and headers
     * @throws Exception if it cannot be applied: the transaction rolls back, and it is tried again
     */
    void handle(T payload, ReceivedEvent event) throws Exception;
}
