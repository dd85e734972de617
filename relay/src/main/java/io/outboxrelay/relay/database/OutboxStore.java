package io.outboxrelay.relay.database;

import io.outboxrelay.relay.lane.ByRoute;
import io.outboxrelay.relay.lane.LaneStore;
import io.outboxrelay.relay.lane.OwnedLane;
import io.outboxrelay.relay.lane.WriterWatch;
import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What a running relay asks of one outbox. Thread-safe; every method throws a {@link
 * org.springframework.dao.DataAccessException} when the database does not answer.
 */
public interface OutboxStore extends LaneStore {

    /** Counting goes on only so far in a lane: a gauge must not become the load that it shows. */
    int MOST_COUNTED = 100_000;

    /** Clocks that are set back by less are not noticed. */
    Duration A_SECOND = Duration.ofSeconds(1);

    /**
     * Looks which transactions may still write, and so how far the floor of the lanes may rise. Called by one thread.
     *
     * @param now {@link System#nanoTime()}
     * @return what was found
     */
    Look lookAtWriters(long now);

    /** Returns what people have paused: everything, or the events of certain types. */
    ByRoute<Boolean> pauses();

    /**
     * Asks which of several lanes have events above their floors.
     *
     * @param floors floor by lane
     * @return those lanes
     */
    Set<Integer> lanesWithEvents(Map<Integer, Long> floors);

    /**
     * Returns the version of the installed tables.
     *
     * @return the version; empty when there are none
     */
    OptionalInt schemaVersion();

    /** Returns the number of lanes that the outbox was installed with. */
    int numberOfLanes();

    /**
     * Says that a relay is alive, and removes those that have not said so for long.
     *
     * @param instance the relay
     * @param duration how long this holds
     * @return how many relays are alive, this one included
     */
    int heartbeat(String instance, Duration duration);

    /**
     * Returns how far in the future a lease or a life may begin that somebody really has: one that begins later was given
     * before the clock of the database was set back, and nobody waits for its end.
     *
     * @param duration how long leases last
     * @return that long, but at least a second
     */
    static Duration farAhead(Duration duration) {
        return duration.compareTo(A_SECOND) < 0 ? A_SECOND : duration;
    }

    /** Says that a relay has ended. */
    void goodbye(String instance);

    /**
     * Renews the leases that a relay still owns. Need not wait for a lane whose row somebody holds, as people's commands do
     * for a moment: it may be missing from the result although it is owned, see {@link #owned}.
     *
     * @param instance the relay
     * @param held lanes that it believes it owns
     * @param duration of the leases
     * @return those that it does own, renewed
     */
    List<OwnedLane> renew(String instance, Collection<Integer> held, Duration duration);

    /**
     * Asks which lanes a relay still owns, whoever holds their rows at the moment.
     *
     * @param instance the relay
     * @param held lanes that it believes it owns
     * @return those that it does own
     */
    List<OwnedLane> owned(String instance, Collection<Integer> held);

    /**
     * Takes lanes that no one owns or whose owner's lease has run out.
     *
     * @param instance the relay
     * @param most how many at most
     * @param duration of the leases
     * @return the lanes that were taken
     */
    List<OwnedLane> acquire(String instance, int most, Duration duration);

    /**
     * Releases a lane, if it still has this owner and epoch.
     *
     * @param owned the lane and its owner
     * @return whether it was
     */
    boolean release(OwnedLane owned);

    /**
     * Counts what is not yet confirmed in some lanes.
     *
     * @param floors floor by lane
     * @return how many events, and the age of the oldest
     */
    Backlog backlog(Map<Integer, Long> floors);

    /**
     * Looks for events at or below the floors of lanes, where none should be: restored rows for instance, or ones whose
     * positions somebody chose.
     *
     * @param floors floor by lane
     * @return how many there are by lane, for lanes that have any; no more than {@link #MOST_COUNTED} are counted
     */
    Map<Integer, Long> belowFloors(Map<Integer, Long> floors);

    /**
     * Counts the failures of some lanes.
     *
     * @param numbers the lanes
     * @return how many there are of each state, for states of which there are any; of those that wait no more than
     *     {@link #MOST_COUNTED} are counted
     */
    Map<String, Long> failures(Collection<Integer> numbers);

    /**
     * Tells which routes do not move: the types and reasons of failures of some lanes that are retrying, parked or paused.
     *
     * @param numbers the lanes
     * @param most how many of them to name
     * @return those with the most failures first; only some thousands of failures are looked at
     */
    List<Stuck> stuck(Collection<Integer> numbers, int most);

    /**
     * Makes room for what will be published and lets go of what was published too long ago. It does a bounded part of it:
     * call it again while there is more.
     *
     * @param keep how long what was published is kept, an hour at least; it goes in days, so up to a day longer
     * @return what was done
     */
    Retention retain(Duration keep);

    /**
     * What a call of {@link #retain} did.
     *
     * @param days how many days were dropped
     * @param rows how many events were removed that had no day of their own
     * @param busy whether another session was in the way, so that something is left for the next call
     */
    record Retention(int days, int rows, boolean busy) {

        /** Most events that one call removes. */
        public static final int MOST_ROWS = 5_000;

        /** {@return whether there may be more to do right now} */
        public boolean isPart() {
            return !busy && (days > 0 || rows == MOST_ROWS);
        }
    }

    /**
     * What a look at the writers found.
     *
     * @param longest the writer that has held the floor back for longest, empty when none does
     * @param unreliable why nothing may be concluded from positions, so that floors do not rise; null when there is no reason
     * @param another whether the outbox is not the one of the last look: positions may be given out again after a
     *     restore, a failover or a restarted sequence, so floors that were raised before hold no more
     */
    record Look(
            Optional<WriterWatch.Writer> longest,
            boolean another,
            @Nullable String unreliable) {}

    /**
     * A route that does not move.
     *
     * @param aggregateType type of its aggregates
     * @param eventType type of its events
     * @param reason why, in one word
     * @param events how many
     * @param partly whether not all were counted
     */
    record Stuck(String aggregateType, String eventType, String reason, long events, boolean partly) {

        @Override
        public String toString() {
            return (partly ? "at least " : "") + events + " of " + aggregateType + "/" + eventType + " " + reason;
        }
    }

    /**
     * What is not yet confirmed.
     *
     * @param events how many; in a lane no more than {@link #MOST_COUNTED} are counted
     * @param lagSeconds age of the oldest; 0 when there is none
     */
    record Backlog(double events, double lagSeconds) {

        /** Neither number is known. */
        public static final Backlog UNKNOWN = new Backlog(Double.NaN, Double.NaN);
    }
}
