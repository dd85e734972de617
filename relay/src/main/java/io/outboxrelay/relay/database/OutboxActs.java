package io.outboxrelay.relay.database;

import io.outboxrelay.relay.database.OutboxStore.Backlog;
import io.outboxrelay.relay.database.OutboxStore.FailureCounts;
import io.outboxrelay.relay.database.OutboxStore.Look;
import io.outboxrelay.relay.database.OutboxStore.Members;
import io.outboxrelay.relay.database.OutboxStore.Retention;
import io.outboxrelay.relay.database.OutboxStore.Stuck;
import io.outboxrelay.relay.lane.ByRoute;
import io.outboxrelay.relay.lane.Event;
import io.outboxrelay.relay.lane.Event.Aggregate;
import io.outboxrelay.relay.lane.FailurePolicy.Failed;
import io.outboxrelay.relay.lane.LaneStore.Claim;
import io.outboxrelay.relay.lane.LaneStore.Closed;
import io.outboxrelay.relay.lane.LaneStore.Due;
import io.outboxrelay.relay.lane.LaneStore.Incarnation;
import io.outboxrelay.relay.lane.LaneStore.OwnedLane;
import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * What a running relay asks of a kind of database. {@link OutboxStore} says what each act is for; collections that
 * select rows are never empty.
 */
interface OutboxActs {

    /**
     * Reads events in one statement. The result is always a beginning of what is there, without holes: the floor relies
     * on it. Of a payload that is too large only the size is read.
     *
     * @return one row without an event when the lane has none; no row when it has another owner
     */
    List<Row> claim(Claim claim);

    /** Deletes or retains events by position and id: a database that fell back gives positions out again. */
    int settle(OwnedLane owned, Incarnation incarnation, List<Event> events);

    List<DueFailure> due(Due due);

    // In a transaction on a lane

    /** Locks the row of a lane until the transaction ends. Returns whether the lane still has this owner. */
    boolean lockIfOwned(OwnedLane owned);

    Incarnation incarnation();

    /** Reads the aggregates that have a blocking failure. The result is asked after the transaction. */
    Supplier<Set<Aggregate>> blocked(int lane);

    /** Deletes or retains failures by their ids. */
    void removeFailures(List<Long> published);

    /** Skips a failure whose attempts have changed: a person has had it retried in the meantime. */
    void updateFailures(List<Failed> failures);

    /** Moves events of the outbox to the failures, in this order. */
    void addFailures(int lane, List<Failed> failures);

    /** Moves events of the outbox behind the failures of their aggregates, in this order. */
    void addFollowers(int lane, List<Event> followers);

    /**
     * Makes every failure wait that is retried by itself behind the first of its aggregate, where failures were added
     * or failed again. Comes before {@link #moveUp}.
     */
    void holdBack(int lane, Set<Aggregate> aggregates);

    /** Retries the first failure of each aggregate now, if it has waited for one that is gone. */
    void moveUp(int lane, Set<Aggregate> aggregates);

    /** Returns those of the aggregates that have no blocking failure any more. */
    Set<Aggregate> free(int lane, Set<Aggregate> aggregates);

    /** Moves on some paused failures whose route is no longer paused. Returns how many. */
    int resume(int lane);

    // Floors

    Closed closed();

    Look lookAtWriters(long now);

    Collection<Integer> lanesWithEvents(Map<Integer, Long> floors);

    Map<Integer, Long> belowFloors(Map<Integer, Long> floors);

    // Relays and their lanes

    /** Counts those relays as alive whose life does not begin too far ahead. */
    Members heartbeat(String instance, Duration duration, Duration farAhead);

    void goodbye(String instance);

    /** Renews those leases whose rows nobody has locked. */
    List<OwnedLane> renewUnlocked(String instance, Collection<Integer> held, Duration duration);

    List<OwnedLane> owned(String instance, Collection<Integer> held);

    /** Takes lanes without a valid lease. One that begins too far ahead is not valid: the clock was set back. */
    List<OwnedLane> acquire(String instance, int most, Duration duration, Duration farAhead);

    boolean release(OwnedLane owned);

    // Gauges and housekeeping

    List<ByRoute.Rule<Boolean>> pauses();

    Backlog backlog(Map<Integer, Long> floors);

    FailureCounts failures(Collection<Integer> lanes);

    List<Stuck> stuck(Collection<Integer> lanes, int most);

    Retention retain(Duration keep);

    /** What a claim reads: an event, or none where the lane has only its owner. */
    record Row(Incarnation incarnation, @Nullable Event event) {}

    /** A failure, and whether it and those behind it may be tried. */
    record DueFailure(Event event, boolean mayGo) {}
}
