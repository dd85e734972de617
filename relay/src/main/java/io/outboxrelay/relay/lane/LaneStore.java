package io.outboxrelay.relay.lane;

import java.util.Collection;
import java.util.List;

/** A lane's side of the database. Called by the lane's thread; an exception means that the database did not answer. */
public interface LaneStore {

    /**
     * Reads the oldest visible events of a lane, without a lock and without a write.
     *
     * @param claim which events
     * @return them, by position
     */
    Claimed claim(Claim claim);

    /**
     * Deletes events, all of them or none. They must have been confirmed: then anyone may delete them at any time.
     *
     * @param lane the lane
     * @param events the events; another one that has taken the position of one of them since is left alone
     * @return how many there still were
     */
    int settle(int lane, List<Event> events);

    /**
     * Returns the position up to which every event that will ever be visible is visible to a claim that begins now. It
     * is known without asking the database, grows, and falls to 0 when nothing is known any more.
     */
    long closed();

    /**
     * Which events to read.
     *
     * @param lane the lane
     * @param above only events with a higher position
     * @param events most events to read
     * @param bytes most payload bytes to read; one event is read even if it has more
     * @param without aggregates to leave out
     */
    record Claim(int lane, long above, int events, long bytes, Collection<Aggregate> without) {}

    /**
     * What a claim read.
     *
     * @param events the events, by position
     * @param exhausted whether there was nothing more to read: neither limit ended the reading
     */
    record Claimed(List<Event> events, boolean exhausted) {}
}
