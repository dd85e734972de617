package io.outboxrelay.relay.lane;

import io.outboxrelay.relay.lane.FailurePolicy.Failed;
import java.util.Objects;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Logs parked events, on which a person must act. A parked event that is tried again and fails once more is not
 * reported again; one that is published after all is.
 */
final class ParkedReport {

    private static final Logger LOG = LoggerFactory.getLogger(ParkedReport.class);

    private final Lease lease;
    private final OncePerMinute parkedEvents;
    private final OncePerMinute publishedEvents;
    private @Nullable Failed last;

    ParkedReport(Lease lease, LongSupplier nanoTime) {
        this.lease = lease;
        this.parkedEvents = new OncePerMinute(nanoTime);
        this.publishedEvents = new OncePerMinute(nanoTime);
    }

    void parked(Failed event) {
        last = event;
        parkedEvents.add(1);
        report();
    }

    /** Notes the number of parked events that were published after all. */
    void published(long events) {
        publishedEvents.add(events);
        report();
    }

    /** Logs what was noted since the last report, if that is a minute ago. */
    void report() {
        publishedEvents.report(count -> LOG.info(
                "{}: {} {} published after all since the last report",
                lease,
                Count.of(count, "parked event"),
                count == 1 ? "was" : "were"));
        parkedEvents.report(count -> log(Objects.requireNonNull(last), count));
    }

    private void log(Failed parked, long count) {
        LOG.atError()
                .addMarker(Help.about(parked.reason()))
                .addKeyValue(LogKeys.EVENT_ID, parked.event().id())
                .addKeyValue(LogKeys.REASON, parked.reason().word())
                .log(
                        "{}: {} is parked after {}, {}: {}; later events of its aggregate {}{}. Fix the cause{}:"
                                + " failures retry {}",
                        lease,
                        parked.event(),
                        Count.of(parked.attempts(), "attempt"),
                        parked.reason().word(),
                        parked.detail(),
                        parked.blocking() ? "are blocked" : "continue",
                        count == 1 ? "" : " (and " + (count - 1) + " more since the last report, see failures list)",
                        parked.backoff() == null
                                ? ", then run"
                                : "; it is tried again every few minutes, or at once" + " by",
                        parked.event().id());
    }
}
