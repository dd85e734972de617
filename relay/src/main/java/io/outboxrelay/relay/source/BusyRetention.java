package io.outboxrelay.relay.source;

import io.outboxrelay.relay.database.OutboxStore.Retention;
import java.util.Optional;

/** Notices that retention finds somebody in its way again and again. Used by one thread. */
final class BusyRetention {

    /** Half an hour: another relay, or a reader, is in the way now and then. */
    static final int SAID_AFTER = 6;

    private int inARow;

    /**
     * Counts an attempt.
     *
     * @param done what it did
     * @return what to warn of, once for each {@value #SAID_AFTER} attempts in a row that were kept from their work
     */
    Optional<String> after(Retention done) {
        inARow = done.busy() ? inARow + 1 : 0;
        return inARow > 0 && inARow % SAID_AFTER == 0
                ? Optional.of("published events that are due to be dropped are kept and the table grows: the last "
                        + inARow + " attempts found a lock on outbox_published; pg_locks shows whose")
                : Optional.empty();
    }
}
