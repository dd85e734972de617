package io.outboxrelay.relay.source;

import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.outboxrelay.relay.database.OutboxStore.FailureCounts;
import io.outboxrelay.relay.lane.ByRoute;
import io.outboxrelay.relay.lane.Drops;
import java.util.List;
import java.util.function.ToDoubleFunction;
import org.jspecify.annotations.Nullable;

/** Registers the meters of a source. A value that is not known is not a number. */
final class SourceMeters {

    private static final List<String> FAILURE_STATES = List.of("retrying", "parked", "paused", "waiting");

    private final MeterRegistry meters;
    private final Source source;

    SourceMeters(MeterRegistry meters, Source source) {
        this.meters = meters;
        this.source = source;
    }

    void register(Housekeeping found, Drops drops) {
        register(
                "outbox_relay_undelivered_events",
                "Events of this relay's lanes that are not delivered yet: those in the outbox, up to 100,000 in each"
                        + " lane, and the failures. Rises"
                        + " while the broker, a queue or a person is waited for. NaN while unknown.",
                found,
                SourceMeters::undelivered);
        register(
                "outbox_relay_undelivered_oldest_seconds",
                "Age in seconds of the oldest of these events, in the outbox or failed; 0 when there are none. Rises"
                        + " steadily while an event is stuck. NaN while unknown.",
                found,
                SourceMeters::oldest);
        register(
                "outbox_relay_backlog_events",
                "Events in the outbox that are not confirmed yet, without the failures, of this relay's lanes; at most"
                        + " 100000 are counted in each lane. Rises when services write faster than the broker confirms."
                        + " NaN while unknown.",
                found,
                f -> f.backlog().events());
        register(
                "outbox_relay_lag_seconds",
                "Age in seconds of the oldest event in the outbox, without the failures; 0 when there are none. Rises"
                        + " when the relay or the broker cannot keep up. NaN while unknown.",
                found,
                f -> f.backlog().lagSeconds());
        register(
                "outbox_relay_source_ready",
                "1 while the source's database and broker answer, the broker accepts events and no lane is stuck, else"
                        + " 0.",
                source,
                s -> s.trouble().isEmpty() ? 1 : 0);
        for (String state : FAILURE_STATES) {
            Gauge.builder("outbox_relay_failures", found, f -> count(f.failures(), state))
                    .description("Events of this relay's lanes that have failed (retrying, parked), whose route is"
                            + " paused, or that wait behind one of these. Rises when the broker returns or rejects"
                            + " events. NaN while unknown.")
                    .tag("source", source.name())
                    .tag("state", state)
                    .register(meters);
        }
        register(drops, true, Drops::ofRoutesThatWorked);
        register(drops, false, Drops::ofOthers);
        register(
                "outbox_relay_paused_routes",
                "Routes that people have paused; a whole source counts as one. NaN while unknown.",
                found,
                f -> pausedRoutes(f.pauses()));
        register(
                "outbox_relay_writer_seconds",
                "Seconds for which the relay has seen the oldest open transaction that has written to the outbox; 0"
                        + " when there is none. While it rises, reading the outbox gets slower.",
                found,
                f -> f.longestWriter().toMillis() / 1e3);
        register(
                "outbox_relay_unanswered_events",
                "Events that were sent and that the broker has neither confirmed nor rejected within"
                        + " publish.confirm-deadline. Rises when a queue is slow or has lost its majority.",
                source,
                Source::unanswered);
        register(
                "outbox_relay_lanes",
                "Lanes of the source that this relay owns. All relays together own all lanes, unless a lane has just"
                        + " lost its owner.",
                source,
                Source::ownedLanes);
    }

    private <T> void register(String name, String description, T object, ToDoubleFunction<T> value) {
        Gauge.builder(name, object, value)
                .description(description)
                .tag("source", source.name())
                .register(meters);
    }

    private void register(Drops drops, boolean worked, ToDoubleFunction<Drops> count) {
        FunctionCounter.builder("outbox_relay_dropped", drops, count)
                .description("Events that retry.unroutable=drop has deleted because no queue was bound for them;"
                        + " worked_before is true if events of the same types had reached a queue before.")
                .tag("source", source.name())
                .tag("worked_before", String.valueOf(worked))
                .register(meters);
    }

    private static double pausedRoutes(@Nullable ByRoute<Boolean> pauses) {
        return pauses == null ? Double.NaN : pauses.rules().size();
    }

    private static double count(@Nullable FailureCounts counts, String state) {
        return counts == null ? Double.NaN : counts.events().getOrDefault(state, 0L);
    }

    private static double undelivered(Housekeeping found) {
        return found.backlog().events()
                + FAILURE_STATES.stream()
                        .mapToDouble(state -> count(found.failures(), state))
                        .sum();
    }

    private static double oldest(Housekeeping found) {
        FailureCounts failures = found.failures();
        return failures == null ? Double.NaN : Math.max(found.backlog().lagSeconds(), failures.oldestSeconds());
    }
}
