package io.outboxrelay.relay.lane;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Counts and logs the events that the lanes of one source have dropped, because no queue was bound for them. A dropped
 * event is gone, so each route is reported. The report says so when events of the route did reach a queue since the
 * relay started: that queue may be down and not gone. Thread-safe.
 */
public final class Drops {

    private static final Logger LOG = LoggerFactory.getLogger(Drops.class);

    /** Writers can invent any number of types; those beyond share one entry. */
    private static final int MOST_ROUTES = 1_000;

    private static final Route OTHER = new Route(ByRoute.ANY, ByRoute.ANY);

    private final LongSupplier nanoTime;
    private final Map<Route, Seen> routes = new ConcurrentHashMap<>();
    private final LongAdder ofRoutesThatWorked = new LongAdder();
    private final LongAdder ofOthers = new LongAdder();

    private record Route(String aggregateType, String eventType) {}

    private static final class Seen {
        private final OncePerMinute reports;
        private volatile boolean arrived;

        Seen(LongSupplier nanoTime) {
            this.reports = new OncePerMinute(nanoTime);
        }
    }

    /** @param nanoTime clock of the reports */
    public Drops(LongSupplier nanoTime) {
        this.nanoTime = nanoTime;
    }

    /** Notes that an event that may be dropped has reached a queue. */
    void confirmed(Event event) {
        Seen seen = seen(event);
        if (!seen.arrived) {
            seen.arrived = true;
        }
    }

    /** Notes that an event is dropped. */
    void dropped(Lease lease, Event event, Outcome.NotPublished failure) {
        Seen seen = seen(event);
        (seen.arrived ? ofRoutesThatWorked : ofOthers).increment();
        LOG.debug("{}: {} is dropped: {}", lease, event, failure.detail());
        seen.reports.occurred(count -> LOG.atWarn()
                .addMarker(Help.EVENT_DROPPED)
                .addKeyValue(LogKeys.EVENT_ID, event.id())
                .addKeyValue(LogKeys.REASON, failure.reason().word())
                .log(
                        "{}: {} is dropped, because retry.unroutable is drop: {}{}{}",
                        lease,
                        event,
                        failure.detail(),
                        seen.arrived
                                ? "; events of its types have reached a queue since this relay started: that queue was"
                                        + " deleted, or its node is down"
                                : "",
                        OncePerMinute.andMore(count)));
    }

    private Seen seen(Event event) {
        Route route = new Route(event.aggregate().type(), event.type());
        Seen known = routes.get(route);
        return known != null
                ? known
                : routes.computeIfAbsent(routes.size() < MOST_ROUTES ? route : OTHER, unknown -> new Seen(nanoTime));
    }

    /** Returns how many were dropped of routes whose events had reached a queue before. */
    public long ofRoutesThatWorked() {
        return ofRoutesThatWorked.sum();
    }

    /** Returns how many were dropped of routes of which no event is known to have reached a queue. */
    public long ofOthers() {
        return ofOthers.sum();
    }
}
