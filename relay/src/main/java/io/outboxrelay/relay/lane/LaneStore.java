package io.outboxrelay.relay.lane;

import io.outboxrelay.relay.lane.FailurePolicy.Failed;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** A lane's side of the database. Called by the lane's thread; an exception means that the database did not answer. */
public interface LaneStore {

    /**
     * Reads the oldest visible events of a lane, without a lock and without a write. Whether the lane is still owned, and in
     * which life of the server, is read in the same state of the database as the events: a new owner may have moved the first
     * event of an aggregate already, and a server that has crashed may have lost what is remembered.
     *
     * @param claim which events
     * @return them, by position; empty when the lane has another owner
     */
    Optional<Claimed> claim(Claim claim);

    /**
     * Reads failures whose backoff is over, and the events that wait behind them, without a lock and without a write.
     *
     * @param due which
     * @return them; those of an aggregate in the order in which they were written, and without a gap
     */
    List<Event> due(Due due);

    /**
     * Returns the aggregates of a lane whose next events must wait among the failures, behind one that is there. Knows the
     * fate of whatever an owner of the lane has written there, also when the writer got no answer.
     *
     * @param owned the lane and its owner
     * @return them; empty when the lane has another owner
     */
    Optional<Blocked> blocked(OwnedLane owned);

    /**
     * Deletes events, all of them or none. They must have been confirmed: then anyone may delete them at any time. Where they are
     * retained they move to what was published, and only the owner may do that, in the life of the server in which they were
     * claimed: after another owner, who may have met a failure of the same aggregate, or with events before them that a crash
     * has brought back, their order would be lost.
     *
     * <p>It need not have reached the disk on return: what comes back in a crash is published once more, under its id.
     *
     * @param owned the lane and its owner
     * @param incarnation the life of the server in which they were claimed
     * @param events events of the outbox; another one that has taken the position of one of them since is left alone
     * @return how many there still were, or none where that is for another owner to do
     */
    int settle(OwnedLane owned, Incarnation incarnation, List<Event> events);

    /**
     * Writes to the failures, all of it or nothing, only as the lane's owner and only in the life of the server in which the
     * events were claimed. On return it has reached the disk, as far as
     * the server can be asked for that.
     *
     * @param owned the lane and its owner
     * @param incarnation the life of the server in which the events were claimed
     * @param changes what to write
     * @return the aggregates of the changes that nothing is kept of any more; empty when the lane has another owner, or the
     *     server another life
     */
    Optional<Set<Aggregate>> keep(OwnedLane owned, Incarnation incarnation, Changes changes);

    /**
     * Resumes the events whose route is no longer paused; only as the lane's owner. On return it has reached the disk, as
     * far as the server can be asked for that.
     *
     * @param owned the lane and its owner
     * @return how many; when there are any, there may be more
     */
    int resume(OwnedLane owned);

    /** Returns up to which position everything is visible. It is known without asking the database. */
    Closed closed();

    /**
     * A position up to which every event that will ever be visible is visible to a claim that begins now.
     *
     * @param incarnation the life of the server in which it is so
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
     * @param events most events to read
     * @param bytes most payload bytes to read; one event is read even if it has more
     * @param without aggregates to leave out
     */
    record Claim(OwnedLane owned, long above, int events, long bytes, Collection<Aggregate> without) {}

    /**
     * What a claim read.
     *
     * @param incarnation the life of the server in which it was read
     * @param events the events, by position
     * @param exhausted whether there was nothing more to read: neither limit ended the reading
     */
    record Claimed(Incarnation incarnation, List<Event> events, boolean exhausted) {}

    /**
     * Who is blocked.
     *
     * @param incarnation the life of the server in which it was read
     * @param aggregates the aggregates
     */
    record Blocked(Incarnation incarnation, Set<Aggregate> aggregates) {}

    /**
     * Which failures to read.
     *
     * @param lane the lane
     * @param events most events to read
     * @param bytes most payload bytes to read; one event is read even if it has more
     * @param eventsPerAggregate most events of one aggregate
     */
    record Due(int lane, int events, long bytes, int eventsPerAggregate) {}

    /**
     * What a cycle leaves to write besides deleting from the outbox.
     *
     * @param published failures that were published: their rows go
     * @param failed events that failed: those of the outbox move to the failures
     * @param followers events of the outbox whose aggregate is blocked: they move behind its failures, in this order
     */
    record Changes(List<Event> published, List<Failed> failed, List<Event> followers) {

        /** Returns whether there is nothing to write. */
        boolean isEmpty() {
            return published.isEmpty() && failed.isEmpty() && followers.isEmpty();
        }

        /** Returns the aggregates of all these events, without those whose names cannot be read: nothing is behind these. */
        public Set<Aggregate> touched() {
            return Stream.of(published, failed.stream().map(Failed::event).toList(), followers)
                    .flatMap(List::stream)
                    .map(Event::aggregate)
                    .filter(Aggregate::named)
                    .collect(Collectors.toSet());
        }
    }
}
