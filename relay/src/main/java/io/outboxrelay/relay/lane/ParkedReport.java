package io.outboxrelay.relay.lane;

import io.outboxrelay.relay.lane.FailurePolicy.Failed;
import java.time.Duration;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Tells of parked events, for a person must act: of the first at once, then of the last with a count each minute. One that is
 * tried on and fails once more is no news; that the broker takes such events again is.
 */
final class ParkedReport {

    private static final Logger LOG = LoggerFactory.getLogger(ParkedReport.class);
    private static final Duration BETWEEN = Duration.ofMinutes(1);

    private final Lease lease;
    private final Clock clock;
    private @Nullable Failed last;
    private long untold;
    private @Nullable Long toldAt;
    private long freed;
    private @Nullable Long freedToldAt;

    ParkedReport(Lease lease, Clock clock) {
        this.lease = lease;
        this.clock = clock;
    }

    void add(Failed parked) {
        last = parked;
        untold++;
        tell();
    }

    /** So many that were parked are published after all. */
    void published(long events) {
        freed += events;
        tell();
    }

    /** Tells what was added since the last report, if that is a minute ago. */
    void tell() {
        long now = clock.nanoTime();
        if (freed > 0 && isTime(freedToldAt, now)) {
            LOG.info("{}: {} parked events were published after all since the last report", lease, freed);
            freedToldAt = now;
            freed = 0;
        }
        if (last == null || !isTime(toldAt, now)) {
            return;
        }
        LOG.error(
                "{}: {} is parked after {} attempts, {}: {}; {}{}. Repair the cause{}: failures retry {}",
                lease,
                last.event(),
                last.attempts(),
                last.reason().word(),
                last.detail(),
                last.blocking()
                        ? "later events of its aggregate wait for it"
                        : "later events of its aggregate continue",
                untold == 1 ? "" : " (and " + (untold - 1) + " more since the last report, see failures list)",
                last.backoff() == null ? ", then" : "; it is tried again every few minutes, or at once by",
                last.event().id());
        toldAt = now;
        untold = 0;
        last = null;
    }

    private static boolean isTime(@Nullable Long before, long now) {
        return before == null || now - before >= BETWEEN.toNanos();
    }
}
