package io.outboxrelay.relay.lane;

import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.LongAdder;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What the lanes of one source have dropped, since no queue was bound for it. An event is gone then, so nobody may have to
 * find out by missing it: the first of each route is told at once, then one a minute with a count. Loudest about a route
 * whose events did arrive since the relay started: its queue may be down and not gone. Thread-safe.
 */
public final class Drops {

    private static final Logger LOG = LoggerFactory.getLogger(Drops.class);
    private static final Duration BETWEEN = Duration.ofMinutes(1);

    /** Types are a writer's to invent; those beyond share one entry. */
    private static final int MOST_ROUTES = 1_000;

    private static final Route OTHER = new Route(ByRoute.ANY, ByRoute.ANY);

    private final Clock clock;
    private final Map<Route, Seen> routes = new ConcurrentHashMap<>();
    private final LongAdder ofRoutesThatWorked = new LongAdder();
    private final LongAdder ofOthers = new LongAdder();

    private record Route(String aggregateType, String eventType) {}

    /** What is known of a route; changed under its own lock. */
    private static final class Seen {
        private volatile boolean worked;
        private long untold;
        private @Nullable Long toldAt;
    }

    /** @param clock time between two reports */
    public Drops(Clock clock) {
        this.clock = clock;
    }

    /** An event of a route that may be dropped has reached a queue. */
    void confirmed(Event event) {
        Seen seen = seen(event);
        if (!seen.worked) {
            seen.worked = true;
        }
    }

    /** An event is dropped. */
    void dropped(Lease lease, Event event, Outcome.Failure failure) {
        Seen seen = seen(event);
        (seen.worked ? ofRoutesThatWorked : ofOthers).increment();
        long more = toTell(seen);
        if (more < 0) {
            LOG.debug("{}: {} is dropped: {}", lease, event, failure.detail());
            return;
        }
        LOG.warn(
                "{}: {} is dropped, as retry.unroutable says: {}{}{}",
                lease,
                event,
                failure.detail(),
                seen.worked
                        ? "; events of its types did reach a queue since this relay started: that queue was deleted, or its"
                                + " node is down"
                        : "",
                more == 0 ? "" : " (and " + more + " like it since the last report)");
    }

    /** Returns how many were dropped before, untold; negative while it is not yet time to tell. */
    private long toTell(Seen seen) {
        long now = clock.nanoTime();
        synchronized (seen) {
            if (seen.toldAt != null && now - seen.toldAt < BETWEEN.toNanos()) {
                seen.untold++;
                return -1;
            }
            long more = seen.untold;
            seen.toldAt = now;
            seen.untold = 0;
            return more;
        }
    }

    private Seen seen(Event event) {
        Route route = new Route(event.aggregate().type(), event.type());
        Seen known = routes.get(route);
        return known != null
                ? known
                : routes.computeIfAbsent(routes.size() < MOST_ROUTES ? route : OTHER, unknown -> new Seen());
    }

    /** Returns how many were dropped of routes whose events had reached a queue before. */
    public long ofRoutesThatWorked() {
        return ofRoutesThatWorked.sum();
    }

    /** Returns how many were dropped of routes that no event had been known to pass. */
    public long ofOthers() {
        return ofOthers.sum();
    }
}
