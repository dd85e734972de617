package io.outboxrelay.relay.rabbitmq;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import io.outboxrelay.relay.lane.Event;
import io.outboxrelay.relay.lane.Help;
import io.outboxrelay.relay.lane.LogKeys;
import io.outboxrelay.relay.lane.OncePerMinute;
import io.outboxrelay.relay.lane.Outcome;
import io.outboxrelay.relay.lane.Outcome.Reason;
import java.time.Duration;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Counts the outcomes of published events for all lanes of one source, and logs those that were not published, by
 * exchange and outcome. A template may name any number of exchanges: beyond the first hundred, they count as
 * {@value #OTHER}. Thread-safe.
 */
public final class PublishMetrics {

    private static final Logger LOG = LoggerFactory.getLogger(PublishMetrics.class);
    private static final String OTHER = "other";

    /** Of the label's values. */
    private static final int MOST_EXCHANGES = 100;

    private record Key(String exchange, Class<? extends Outcome> outcome) {}

    private final String source;
    private final MeterRegistry meters;
    private final Set<String> exchanges = ConcurrentHashMap.newKeySet();
    private final Map<Key, Counter> counters = new ConcurrentHashMap<>();
    private final Map<Key, OncePerMinute> reports = new ConcurrentHashMap<>();
    private final Timer confirms;

    /**
     * @param source name of the source
     * @param meters where the meters are registered
     */
    public PublishMetrics(String source, MeterRegistry meters) {
        this.source = source;
        this.meters = meters;
        this.confirms = Timer.builder("outbox_relay_publish")
                .description("Seconds from sending an event to the broker's confirm. Rises with slow queues and disks"
                        + " of the broker.")
                .tag("source", source)
                .serviceLevelObjectives(
                        Duration.ofMillis(1),
                        Duration.ofMillis(2),
                        Duration.ofMillis(5),
                        Duration.ofMillis(10),
                        Duration.ofMillis(25),
                        Duration.ofMillis(50),
                        Duration.ofMillis(100),
                        Duration.ofMillis(250),
                        Duration.ofSeconds(1),
                        Duration.ofSeconds(5))
                .register(meters);
    }

    void count(Event event, String exchange, Outcome outcome) {
        Key key = new Key(label(exchange), outcome.getClass());
        counters.computeIfAbsent(key, this::counter).increment();
        if (!(outcome instanceof Outcome.Confirmed)) {
            reports.computeIfAbsent(key, unknown -> new OncePerMinute())
                    .occurred(count -> LOG.atWarn()
                            .addMarker(Help.about(
                                    outcome instanceof Outcome.NotPublished failure
                                            ? failure.reason()
                                            : Reason.UNANSWERED))
                            .addKeyValue(LogKeys.SOURCE, source)
                            .addKeyValue(LogKeys.EVENT_ID, event.id())
                            .addKeyValue(LogKeys.REASON, reason(outcome))
                            .log(
                                    "Source {}: {} was not published: {}{}",
                                    source,
                                    event,
                                    inWords(outcome),
                                    OncePerMinute.andMore(count)));
        }
    }

    private String label(String exchange) {
        if (exchanges.contains(exchange)) {
            return exchange;
        }
        synchronized (exchanges) {
            return exchanges.size() < MOST_EXCHANGES && exchanges.add(exchange) ? exchange : OTHER;
        }
    }

    private static String reason(Outcome outcome) {
        return outcome instanceof Outcome.NotPublished failure
                ? failure.reason().word()
                : name(outcome.getClass());
    }

    private static String inWords(Outcome outcome) {
        if (outcome instanceof Outcome.NotPublished failure) {
            return reason(outcome) + ": " + failure.detail();
        }
        return outcome instanceof Outcome.Unconfirmed unconfirmed
                ? reason(outcome) + ": " + unconfirmed.detail()
                : outcome.toString();
    }

    private static String name(Class<? extends Outcome> outcome) {
        return outcome.getSimpleName().toLowerCase(Locale.ROOT);
    }

    void time(long nanos) {
        confirms.record(nanos, TimeUnit.NANOSECONDS);
    }

    private Counter counter(Key key) {
        return Counter.builder("outbox_relay_published")
                .description("Answers about published events since the start of the relay. Any outcome but confirmed"
                        + " means that an event is tried again, parked or dropped.")
                .tag("source", source)
                .tag("exchange", key.exchange())
                .tag("outcome", name(key.outcome()))
                .register(meters);
    }
}
