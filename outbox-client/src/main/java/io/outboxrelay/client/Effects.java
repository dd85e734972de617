package io.outboxrelay.client;

import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** What a consumer's worker does in the database of its inbox; the simulation has another. Safe for many threads. */
interface Effects {

    /**
     * Notes the events, handles the new ones, stores those that have to wait behind one that was given up: in one
     * transaction.
     *
     * @param taken in the order of the queue
     * @return what has become of them, or why nothing has
     */
    Result handle(List<Taken> taken);

    /**
     * Stores an event that is given up, so that the later ones of its aggregate wait behind it.
     *
     * @param attempts how many it was given
     * @return parked, or waiting as if it had not failed because an earlier one is stored, or a duplicate because
     *     another process has handled or stored it
     * @throws RuntimeException if the database refuses it or is away
     */
    Fate park(Taken taken, int attempts, boolean rejected, Throwable cause);

    /**
     * Does everything that {@link #handle} asks of the database, and undoes it.
     *
     * @throws RuntimeException if the database is away or refuses
     */
    void probe();

    /**
     * The result of a transaction.
     *
     * @param fates of each event, in their order; empty if the transaction failed
     * @param nanos how long it took, its commit included
     */
    record Result(List<Fate> fates, @Nullable Failure failed, long nanos) {

        Optional<Failure> failure() {
            return Optional.ofNullable(failed);
        }
    }

    /** Whose fault a failure is. */
    enum Fault {
        /** The handler's, or the event's. */
        HANDLER,
        /** The event's, and it will be so again: the handler says that no retry can help. */
        REJECTED,
        /** Nobody's: others needed the same rows at the same time. */
        CONTENTION,
        /** Nobody's: the handler says that what it needs is away for a while. */
        TRANSIENT,
        /** The event's: the database refuses to note it, or to store it behind an earlier one. */
        REFUSED,
        /** The inbox's own connection was lost or could not be had. */
        DATABASE
    }

    /** Why a transaction failed. */
    record Failure(Fault fault, Throwable cause) {}
}
