package io.outboxrelay.client;

import java.util.List;

/** What a service does about several events at once. Called by the workers of an {@link IdempotentConsumer}. */
@FunctionalInterface
public interface BatchHandler {

    /**
     * Applies the events, inside the transaction that also notes them in the inbox. What is done outside of that
     * transaction may be done again. If it fails, the transaction rolls back, and each event is handled alone, in a
     * list of one. An attempt also fails if it ends with the thread's interrupt flag set, because the work may have
     * stopped half-way; the flag is cleared.
     *
     * @param events what happened, at least one; those of one aggregate are in the order in which they were published
     * @throws Exception if they cannot be applied
     */
    void handle(List<ReceivedEvent> events) throws Exception;
}
