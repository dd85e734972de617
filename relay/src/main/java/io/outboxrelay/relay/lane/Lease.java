package io.outboxrelay.relay.lane;

import java.time.Duration;

/**
 * The right to publish a lane for a while. The database decides who has it; this says how long the owner may trust that
 * it still does: from <em>before</em> the request that renewed it, less a margin, by a clock that no one sets. A relay
 * that was frozen finds its trust gone when it wakes.
 *
 * <p>Renewed by the housekeeping thread, read by the lane's.
 */
public final class Lease {

    /** What publishing a burst may take between looking at the lease and the last byte sent. */
    public static final Duration MARGIN = Duration.ofSeconds(1);

    private final String source;
    private final OwnedLane owned;
    private volatile long trustedUntil;

    /**
     * A lease just obtained.
     *
     * @param source name of the lane's source
     * @param owned the lane, its owner and its epoch
     * @param requestedAt {@link Clock#nanoTime()} before the request
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

    /** Returns what claims and writes of this owner are compared with. */
    public OwnedLane owned() {
        return owned;
    }

    /**
     * Notes a renewal.
     *
     * @param requestedAt {@link Clock#nanoTime()} before the request
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
     * @param now {@link Clock#nanoTime()}
     */
    public boolean trusted(long now) {
        return trustedUntil - now > 0;
    }

    /** Returns whose lane it is, as log lines begin. */
    @Override
    public String toString() {
        return "Source " + source + ", lane " + owned.lane();
    }
}
