package io.outboxrelay.relay.source;

import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.outboxrelay.relay.lane.ByRoute;
import io.outboxrelay.relay.lane.Drops;
import java.util.List;
import java.util.Map;
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
                "outbox_relay_backlog_events",
                "Events of this relay's lanes that are not confirmed",
                found,
                f -> f.backlog().events());
        register(
                "outbox_relay_lag_seconds",
                "Age of the oldest of them",
                found,
                f -> f.backlog().lagSeconds());
        register(
                "outbox_relay_source_ready",
                "1 while the source's database and its broker answer and take events, else 0",
                source,
                s -> s.trouble().isEmpty() ? 1 : 0);
        for (String state : FAILURE_STATES) {
            Gauge.builder("outbox_relay_failures", found, f -> count(f.failures(), state))
                    .description("Events of this relay's lanes that failed, or wait behind one that did")
                    .tag("source", source.name())
                    .tag("state", state)
                    .register(meters);
        }
        register(drops, true, Drops::ofRoutesThatWorked);
        register(drops, false, Drops::ofOthers);
        register(
                "outbox_relay_paused_routes",
                "Routes that people have paused; a whole source is one",
                found,
                f -> pausedRoutes(f.pauses()));
        register(
                "outbox_relay_writer_seconds",
                "Age of the oldest writing transaction that keeps the floor from rising",
                found,
                f -> f.longestWriter().toMillis() / 1e3);
        register(
                "outbox_relay_unanswered_events",
                "Events that were sent to the broker and were not answered in time",
                source,
                Source::unanswered);
        register("outbox_relay_lanes", "Lanes that this relay owns", source, Source::ownedLanes);
    }

    private <T> void register(String name, String description, T object, ToDoubleFunction<T> value) {
        Gauge.builder(name, object, value)
                .description(description)
                .tag("source", source.name())
                .register(meters);
    }

    private void register(Drops drops, boolean worked, ToDoubleFunction<Drops> count) {
        FunctionCounter.builder("outbox_relay_dropped", drops, count)
                .description("Events that were dropped because no queue was bound for them")
                .tag("source", source.name())
                .tag("worked_before", String.valueOf(worked))
                .register(meters);
    }

    private static double pausedRoutes(@Nullable ByRoute<Boolean> pauses) {
        return pauses == null ? Double.NaN : pauses.rules().size();
    }

    private static double count(@Nullable Map<String, Long> counts, String state) {
        return counts == null ? Double.NaN : counts.getOrDefault(state, 0L);
    }
}
