package io.outboxrelay.client;

/** What a service does about an event. Called by the workers of an {@link IdempotentConsumer}. */
@FunctionalInterface
public interface EventHandler {

    /**
     * Applies the event, inside the transaction that also notes it in the inbox. What is done outside of that
     * transaction may be done again. An attempt also fails if it ends with the thread's interrupt flag set, because the
     * work may have stopped half-way; the flag is cleared.
     *
     * <p>The transaction may be that of several events: if one of them fails, it rolls back, and each of them is
     * handled again alone.
     *
     * @param event what happened
     * @throws Exception if it cannot be applied: the transaction rolls back, and it is tried again
     */
    void handle(ReceivedEvent event) throws Exception;
}
