package io.outboxrelay.relay.lane;

import io.outboxrelay.relay.lane.Event.Aggregate;
import io.outboxrelay.relay.lane.FailurePolicy.Failed;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** A lane's side of the database. Called by the lane's thread; an exception means that the database did not answer. */
public interface LaneStore {

    /**
     * Reads the oldest visible events of a lane, without a lock and without a write. One snapshot shows the events, the
     * owner of the lane and the life of the server: a new owner may have moved the first event of an aggregate, and a
     * server that has crashed may have lost commits.
     *
     * @param claim which events
     * @return the events by position; empty when the lane has another owner
     */
    Optional<Claimed> claim(Claim claim);

    /**
     * Reads failures whose backoff is over, and the events that wait behind them, without a lock and without a write.
     *
     * @param due which failures
     * @return the events; those of one aggregate in the order in which they were written, without a gap
     */
    List<Event> due(Due due);

    /**
     * Returns the aggregates of a lane whose next events must wait behind a failure. The answer includes every write of
     * an owner of the lane, also one whose answer was lost.
     *
     * @param owned the lane and its owner
     * @return the aggregates; empty when the lane has another owner
     */
    Optional<Blocked> blocked(OwnedLane owned);

    /**
     * Deletes confirmed events, all of them or none. Any relay may delete them at any time. Where published events are
     * retained, they move to that table instead, and only the owner may do that, in the life of the server in which
     * they were claimed: otherwise their order could be lost, because another owner has met a failure of the same
     * aggregate, or because a crash has brought back earlier events.
     *
     * <p>The change need not have reached the disk on return: an event that comes back in a crash is published once
     * more, under its id.
     *
     * @param owned the lane and its owner
     * @param incarnation the life of the server in which they were claimed
     * @param events events of the outbox; an event that has taken one of their positions since is left alone
     * @return how many were still there; 0 if only another owner may delete them
     */
    int settle(OwnedLane owned, Incarnation incarnation, List<Event> events);

    /**
     * Writes changes to the failures, all or none, only as the lane's owner and only in the life of the server in which
     * the events were claimed. On return they have reached the disk, as far as the server can be asked for that.
     *
     * @param owned the lane and its owner
     * @param incarnation the life of the server in which the events were claimed
     * @param changes what to write
     * @return those aggregates of the changes that have no failure any more; empty when the lane has another owner, or
     *     the server another life
     */
    Optional<Set<Aggregate>> keep(OwnedLane owned, Incarnation incarnation, Changes changes);

    /**
     * Resumes events whose route is no longer paused, only as the lane's owner. On return the change has reached the
     * disk, as far as the server can be asked for that.
     *
     * @param owned the lane and its owner
     * @return how many; unless it is 0, there may be more
     */
    int resume(OwnedLane owned);

    /** Returns the position up to which everything is visible, without a query. */
    Closed closed();

    /**
     * The position up to which a claim that begins now sees every event that will ever be visible.
     *
     * @param incarnation the life of the server in which that is true
     * @param position the position; it grows, and falls to 0 when nothing is known any more
     */
    record Closed(Incarnation incarnation, long position) {

        /** As long as nothing is known. */
        public static final Closed NOTHING = new Closed(Incarnation.UNKNOWN, 0);
    }

    /**
     * Which events to read.
     *
     * @param owned the lane and its owner
     * @param above only events with a higher position
     * @param events maximum number of events
     * @param bytes maximum of payload bytes; one event is read even if it has more
     * @param without aggregates to leave out
     */
    record Claim(OwnedLane owned, long above, int events, long bytes, Collection<Aggregate> without) {}

    /**
     * What a claim read.
     *
     * @param incarnation the life of the server in which it was read
     * @param events the events, by position
     * @param exhausted whether every visible event was read: neither limit was reached
     */
    record Claimed(Incarnation incarnation, List<Event> events, boolean exhausted) {

        /** Returns the position up to which every visible event was read. */
        long seen() {
            return exhausted ? Long.MAX_VALUE : events.get(events.size() - 1).position();
        }
    }

    /**
     * The aggregates that are blocked.
     *
     * @param incarnation the life of the server in which it was read
     * @param aggregates the aggregates
     */
    record Blocked(Incarnation incarnation, Set<Aggregate> aggregates) {}

    /**
     * Which failures to read.
     *
     * @param lane the lane
     * @param events maximum number of events
     * @param bytes maximum of payload bytes; one event is read even if it has more
     * @param eventsPerAggregate maximum number of events of one aggregate
     */
    record Due(int lane, int events, long bytes, int eventsPerAggregate) {}

    /**
     * What a cycle changes among the failures.
     *
     * @param published failures that were published: their rows are deleted
     * @param failed events that failed: those of the outbox move to the failures
     * @param followers events of the outbox whose aggregate is blocked: they move behind its failures, in this order
     */
    record Changes(List<Event> published, List<Failed> failed, List<Event> followers) {

        /** Returns whether there is nothing to write. */
        boolean isEmpty() {
            return published.isEmpty() && failed.isEmpty() && followers.isEmpty();
        }

        /** Returns the events that wait among the failures from now on. */
        List<Event> kept() {
            return Stream.concat(failed.stream().map(Failed::event), followers.stream())
                    .toList();
        }

        /** Returns the aggregates of all these events, except unreadable ones: no event waits behind these. */
        public Set<Aggregate> touched() {
            return Stream.of(published, failed.stream().map(Failed::event).toList(), followers)
                    .flatMap(List::stream)
                    .map(Event::aggregate)
                    .filter(Aggregate::named)
                    .collect(Collectors.toSet());
        }
    }

    /**
     * A lane and its owner, with which every claim and every fenced write is compared.
     *
     * @param lane the lane
     * @param owner the relay's process, a name that no other process has or had: an epoch may be given out twice if the
     *     commit that gave it out first is lost with its server
     * @param epoch the lane's count of owners
     */
    public record OwnedLane(int lane, String owner, long epoch) {}

    /**
     * One life of a database server, from its start to its crash or end. What a relay remembers is valid only in that
     * life: a crash may undo commits that were answered, and another server may never have had them.
     *
     * @param name the server's name for it; null when the server does not know this relay, as after a crash
     */
    public record Incarnation(@Nullable String name) {

        /** Nothing remembered is valid in it. */
        public static final Incarnation UNKNOWN = new Incarnation(null);

        /** Returns whether what was read in another life is still valid in this one. */
        public boolean continues(Incarnation earlier) {
            return name != null && name.equals(earlier.name);
        }
    }
}
