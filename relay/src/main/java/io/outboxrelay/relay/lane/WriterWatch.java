package io.outboxrelay.relay.lane;

import io.outboxrelay.relay.lane.LaneStore.Closed;
import io.outboxrelay.relay.lane.LaneStore.Incarnation;
import java.time.Duration;
import java.util.Comparator;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/**
 * Knows up to which position every event that will ever be visible is visible by now.
 *
 * <p>A transaction may take a position and commit long after later positions were published. So a position is closed
 * only when every transaction has ended that might have taken one up to it: those that held the writers' lock on the
 * outbox when it was the last one taken. Only writers of the outbox count, not every open transaction.
 *
 * <p>Written by the housekeeping thread, {@link #closed()} is read by the lanes'.
 */
public final class WriterWatch {

    /**
     * A transaction that may still write.
     *
     * @param transaction its name in the database, unique while it lasts
     * @param session who it is, for a person
     * @param seenFor how long it has been seen; at least this long it is open
     */
    public record Writer(String transaction, String session, Duration seenFor) {}

    private final Map<String, Long> firstSeen = new HashMap<>();
    private long candidate;
    private Map<String, Writer> holders = Map.of();
    private boolean watching;
    private long highest;
    private Incarnation current = Incarnation.UNKNOWN;
    private volatile Closed closed = Closed.NOTHING;

    /**
     * Returns the position up to which everything is visible, and the life of the server in which it is; nothing as
     * long as that is not known.
     */
    public Closed closed() {
        return closed;
    }

    /**
     * Takes a look at the writers.
     *
     * @param incarnation the life of the server in which both were read
     * @param position the last position taken, read before {@code open}
     * @param open the transactions that may still write, by name
     * @param now nanoseconds of a running clock
     * @return the writer that has been seen for longest
     */
    public Optional<Writer> look(Incarnation incarnation, long position, Map<String, Writer> open, long now) {
        if (position < highest || !incarnation.continues(current)) {
            // Restored from a dump, emptied with its identity restarted, or another life of the server: nothing known
            // holds any more.
            forget();
        }
        current = incarnation;
        highest = position;
        if (watching && holders.keySet().stream().noneMatch(open::containsKey)) {
            closed = new Closed(incarnation, candidate);
            watching = false;
        }
        if (!watching) {
            candidate = position;
            holders = open;
            watching = true;
            if (open.isEmpty()) {
                closed = new Closed(incarnation, position);
                watching = false;
            }
        }
        firstSeen.keySet().retainAll(open.keySet());
        return open.values().stream()
                .map(writer -> new Writer(
                        writer.transaction(),
                        writer.session(),
                        Duration.ofNanos(now - firstSeen.computeIfAbsent(writer.transaction(), t -> now))))
                .max(Comparator.comparing(Writer::seenFor));
    }

    /** Forgets everything: the database may be another one now. */
    public void forget() {
        closed = Closed.NOTHING;
        watching = false;
        highest = 0;
    }
}
