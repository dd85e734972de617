package io.outboxrelay.relay.lane;

import io.outboxrelay.relay.lane.LaneStore.OwnedLane;
import java.time.Duration;

/**
 * The right to publish a lane for a while. The database decides which relay has it; this class says how long the owner
 * may rely on it: the granted time, counted from <em>before</em> the request that renewed it, less a margin, by a clock
 * that nobody sets. A relay that was frozen finds its lease expired when it wakes.
 *
 * <p>The heartbeat's thread renews it, the lane's reads it.
 */
public final class Lease {

    /** Time for a burst of publishes, from the check of the lease to the last byte sent. */
    public static final Duration MARGIN = Duration.ofSeconds(1);

    private final String source;
    private final OwnedLane owned;
    private volatile long trustedUntil;

    /**
     * A lease that was just granted.
     *
     * @param source name of the lane's source
     * @param owned the lane, its owner and its epoch
     * @param requestedAt {@link System#nanoTime()} before the request
     * @param duration what the database granted
     */
    public Lease(String source, OwnedLane owned, long requestedAt, Duration duration) {
        this.source = source;
        this.owned = owned;
        renewed(requestedAt, duration);
    }

    /** Returns the lane. */
    public int lane() {
        return owned.lane();
    }

    /** Returns the lane with its owner, with which claims and writes are compared. */
    public OwnedLane owned() {
        return owned;
    }

    /**
     * Notes a renewal.
     *
     * @param requestedAt {@link System#nanoTime()} before the request
     * @param duration what the database granted
     */
    public void renewed(long requestedAt, Duration duration) {
        trustedUntil = requestedAt + duration.minus(MARGIN).toNanos();
    }

    /** Ends the trust at once. */
    public void lost(long now) {
        trustedUntil = now;
    }

    /**
     * Returns whether the lane may be published.
     *
     * @param now {@link System#nanoTime()}
     */
    public boolean trusted(long now) {
        return trustedUntil - now > 0;
    }

    /** Returns the beginning of log lines about the lane. */
    @Override
    public String toString() {
        return "Source " + source + ", lane " + owned.lane();
    }
}
