package io.outboxrelay.relay.source;

import io.outboxrelay.relay.database.OutboxStore.Retention;
import io.outboxrelay.relay.lane.Count;
import io.outboxrelay.relay.lane.Help;
import java.time.Duration;
import java.util.function.Function;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Retains published events for a while: prepares the table for those to come, and deletes the expired ones. */
final class Purge {

    /** Half an hour: another relay, or a reader, is in the way now and then. */
    static final int WARNED_AFTER = 6;

    private static final Logger LOG = LoggerFactory.getLogger(Purge.class);
    private static final int MOST_ATTEMPTS_TO_PREPARE = 5;

    private final String source;
    private final Duration keep;
    private final Function<Duration, Retention> retain;
    private boolean prepared;
    private int attemptsToPrepare;
    private int busyInARow;

    /**
     * @param source name of the source
     * @param keep how long published events are retained
     * @param retain does a part of the work
     */
    Purge(String source, Duration keep, Function<Duration, Retention> retain) {
        this.source = source;
        this.keep = keep;
        this.retain = retain;
    }

    /**
     * Prepares the table for the events of today, before the first lane settles. Called by the thread of the heartbeat.
     *
     * @return whether that is done, or was tried often enough: another relay may be doing it, or a reader is in the way
     */
    boolean prepare() {
        if (!prepared) {
            prepared = !deleteExpired().busy() || ++attemptsToPrepare == MOST_ATTEMPTS_TO_PREPARE;
        }
        return prepared;
    }

    /** Deletes expired events. Called by a thread of its own; warns when others have prevented it for half an hour. */
    void run() {
        busyInARow = deleteExpired().busy() ? busyInARow + 1 : 0;
        if (busyInARow > 0 && busyInARow % WARNED_AFTER == 0) {
            LOG.warn(
                    Help.RETENTION_LOCKED,
                    "Source {}: the last {} attempts to delete expired published events found a lock on"
                            + " outbox_published, and the table grows; the database's list of locks shows who holds it",
                    source,
                    busyInARow);
        }
    }

    private Retention deleteExpired() {
        Retention done;
        do {
            done = retain.apply(keep);
            if (done.days() > 0 || done.rows() > 0) {
                LOG.info(
                        "Source {}: deleted {} and {} that were published more than {} h ago",
                        source,
                        Count.of(done.days(), "day"),
                        Count.of(done.rows(), "single event"),
                        keep.toHours());
            }
        } while (done.isPart());
        return done;
    }
}
