package io.outboxrelay.relay.database;

import java.time.Duration;

/**
 * Lets those who write wake a relay that sleeps. Losing a call costs time only: who uses it looks now and then all the same.
 * Used by one thread. Every method throws a {@link org.springframework.dao.DataAccessException} when the database does not
 * answer, and begins anew with the next call.
 */
public interface Wakeup extends AutoCloseable {

    /** Says that the relay is awake and will look by itself: those who write need not call it. */
    void awake();

    /**
     * Says that the relay sleeps.
     *
     * @return whether it did not say so before; then an event may have been written just before, and nobody was called: look
     *     once more
     */
    boolean asleep();

    /**
     * Waits for a call.
     *
     * @param atMost longest wait
     * @return whether there was one
     */
    boolean await(Duration atMost);

    /** Begins anew with the next call, on another connection. Any thread may call it. */
    void renew();

    /** Gives the connection back. */
    @Override
    void close();
}
