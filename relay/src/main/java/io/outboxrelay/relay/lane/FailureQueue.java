package io.outboxrelay.relay.lane;

import io.outboxrelay.relay.lane.Event.Aggregate;
import io.outboxrelay.relay.lane.FailurePolicy.Failed;
import io.outboxrelay.relay.lane.Lane.LaneSettings;
import io.outboxrelay.relay.lane.LaneStore.Changes;
import io.outboxrelay.relay.lane.LaneStore.Due;
import io.outboxrelay.relay.lane.LaneStore.Incarnation;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The failures of one lane, as its cycle sees them: which aggregates are blocked by one, which events are due for
 * another attempt, and which routes people have paused. What it remembers only saves queries; the truth is in the
 * {@link LaneStore}. Used by the lane's thread.
 */
final class FailureQueue {

    private static final Logger LOG = LoggerFactory.getLogger(FailureQueue.class);
    private static final Duration BETWEEN_READS_OF_DUE = Duration.ofSeconds(1);
    private static final Duration BETWEEN_READS_OF_BLOCKED = Duration.ofMinutes(1);
    private static final ByRoute<Boolean> NOTHING_KNOWN = ByRoute.always(true);

    private final Lease lease;
    private final LaneStore store;
    private final LongSupplier nanoTime;
    private final Supplier<@Nullable ByRoute<Boolean>> pauses;
    private final Due mostDue;
    private final ParkedReport parkedReport;

    /** Null while unknown. May hold more aggregates than are blocked, never fewer. */
    private @Nullable Set<Aggregate> blocked;

    private Incarnation readIn = Incarnation.UNKNOWN;
    private ByRoute<Boolean> paused = NOTHING_KNOWN;
    private boolean resuming;
    private long blockedReadAt;
    private long dueReadAt;

    FailureQueue(
            Lease lease,
            LaneStore store,
            LongSupplier nanoTime,
            LaneSettings settings,
            Supplier<@Nullable ByRoute<Boolean>> pauses) {
        this.lease = lease;
        this.store = store;
        this.nanoTime = nanoTime;
        this.pauses = pauses;
        this.mostDue =
                new Due(lease.lane(), settings.batchEvents(), settings.batchBytes(), settings.eventsPerAggregate());
        this.parkedReport = new ParkedReport(lease, nanoTime);
    }

    /** Logs parked events whose report was delayed. */
    void report() {
        parkedReport.report();
    }

    /**
     * Returns whether the whole source is paused, or the pauses are not known yet. Brings back what was paused when the
     * pauses have changed.
     */
    boolean isPaused() {
        ByRoute<Boolean> now = pauses.get();
        if (now != null && !now.equals(paused)) {
            paused = now;
            resuming = true;
        }
        if (resuming) {
            resuming = store.resume(lease.owned()) > 0;
        }
        return paused.otherwise();
    }

    /** Returns whether people have paused the event's route. */
    boolean isPaused(Event event) {
        return paused.of(event);
    }

    /**
     * Reads which aggregates are blocked, if that is unknown or was read a minute ago: people discard the events that
     * others wait for.
     *
     * @return the life of the server in which it was read; empty when another relay owns the lane now
     */
    Optional<Incarnation> read() {
        long now = nanoTime.getAsLong();
        if (blocked == null || !blocked.isEmpty() && now - blockedReadAt >= BETWEEN_READS_OF_BLOCKED.toNanos()) {
            blocked = null;
            store.blocked(lease.owned()).ifPresent(read -> {
                blocked = new HashSet<>(read.aggregates());
                readIn = read.incarnation();
            });
            blockedReadAt = now;
        }
        return blocked == null ? Optional.empty() : Optional.of(readIn);
    }

    /** Forgets which aggregates are blocked. */
    void forget() {
        blocked = null;
    }

    /** Returns the aggregates whose events must wait behind a failure. */
    Set<Aggregate> blocked() {
        return Objects.requireNonNull(blocked);
    }

    /**
     * Adds the failures whose backoff has ended. They are read every second even if none is known, since people retry
     * events.
     *
     * @param batch receives them
     * @param except aggregates that wait for another reason
     */
    void addDue(Batch batch, List<Aggregate> except) {
        long now = nanoTime.getAsLong();
        if (blocked().isEmpty() && now - dueReadAt < BETWEEN_READS_OF_DUE.toNanos()) {
            return;
        }
        dueReadAt = now;
        for (Event event : store.due(mostDue)) {
            if (!except.contains(event.aggregate())) {
                blocked().add(event.aggregate());
                batch.add(event);
            }
        }
    }

    /**
     * Writes what a cycle has changed.
     *
     * @param incarnation the life of the server in which the events were claimed
     * @param changes what to write
     * @return whether it was written; false when another relay owns the lane, or the server has another life
     */
    boolean keep(Incarnation incarnation, Changes changes) {
        if (changes.isEmpty()) {
            return true;
        }
        Set<Aggregate> known = blocked();
        blocked = null; // until it is certain what was written
        Optional<Set<Aggregate>> free = store.keep(lease.owned(), incarnation, changes);
        if (free.isEmpty()) {
            LOG.warn(
                    Help.LANE_TAKEN,
                    "{}: another relay owns the lane now, or the database was restarted: what failed here ({}) is"
                            + " claimed again",
                    lease,
                    Count.of(changes.failed().size(), "event"));
            return false;
        }
        changes.failed().forEach(failed -> known.add(failed.event().aggregate()));
        known.removeAll(free.get());
        blocked = known;
        changes.failed().stream().filter(Failed::isNewlyParked).forEach(parkedReport::parked);
        parkedReport.published(changes.published().stream()
                .filter(event -> Objects.requireNonNull(event.kept()).parked())
                .count());
        return true;
    }
}
