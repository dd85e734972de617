package io.outboxrelay.relay.source;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.outboxrelay.relay.lane.Lane.LaneSettings;
import io.outboxrelay.relay.rabbitmq.BrokerSettings;
import io.outboxrelay.relay.rabbitmq.BrokerSettings.Topology;
import io.outboxrelay.relay.source.Source.LeaseSettings;
import io.outboxrelay.relay.source.Source.PollSettings;
import io.outboxrelay.relay.testing.Events;
import io.outboxrelay.relay.testing.LogLines;
import io.outboxrelay.schema.OutboxSchema;
import java.net.URI;
import java.time.Duration;

/**
 * One running source, impatient where a test would have to wait, and what a person sees of it: health, metrics, log.
 */
final class SourceHarness implements AutoCloseable {

    static final Duration PATIENCE = Duration.ofSeconds(60);

    final SimpleMeterRegistry meters = new SimpleMeterRegistry();
    final LogLines log = new LogLines();
    final Source source;

    private final String name;

    private SourceHarness(String name, SourceSettings database, BrokerSettings broker, Duration confirmDeadline) {
        this.name = name;
        this.source = new Source(
                database,
                "relay",
                broker,
                new LaneSettings(1_000, 10_000_000, 100, 250, 10_000_000, 1_000_000, confirmDeadline),
                Events.patientPolicy(),
                new LeaseSettings(Duration.ofSeconds(15), Duration.ofMillis(200)),
                new PollSettings(Duration.ofMillis(5), Duration.ofMillis(50)),
                meters);
        source.start();
    }

    /**
     * Starts a source.
     *
     * @param name its name
     * @param jdbcUrl its database, with the user in it
     * @param broker the address of its broker
     * @param topology how it treats the exchange
     */
    static SourceHarness start(
            String name, String jdbcUrl, String user, String password, String broker, Topology topology) {
        return start(name, jdbcUrl, user, password, broker, topology, Duration.ofSeconds(10));
    }

    /** The same, for a broker whose answers are late after so long. */
    static SourceHarness start(
            String name,
            String jdbcUrl,
            String user,
            String password,
            String broker,
            Topology topology,
            Duration confirmDeadline) {
        return new SourceHarness(
                name,
                new SourceSettings(
                        name,
                        jdbcUrl,
                        user,
                        password,
                        OutboxSchema.DEFAULT_NAME,
                        4,
                        Duration.ofSeconds(3),
                        SourceSettings.Wakeup.NONE,
                        null),
                broker(broker, topology),
                confirmDeadline);
    }

    /** The settings for a broker at this address. */
    static BrokerSettings broker(String address, Topology topology) {
        return new BrokerSettings(
                URI.create(address),
                "events",
                "{aggregate_type}.{event}",
                topology,
                false,
                Duration.ofSeconds(5),
                Duration.ofSeconds(5),
                null,
                null,
                false);
    }

    /** Waits until the source reports that it is not served, and why. */
    void awaitTrouble(String... words) {
        await().atMost(PATIENCE)
                .untilAsserted(() -> assertThat(source.trouble().orElse("none")).contains(words));
        assertThat(ready()).isZero();
    }

    /** Waits until it is served. */
    void awaitReady() {
        await().atMost(PATIENCE)
                .untilAsserted(() -> assertThat(source.trouble()).isEmpty());
        assertThat(ready()).isEqualTo(1);
    }

    /** The gauge for alerts. */
    double ready() {
        return meters.get("outbox_relay_source_ready")
                .tag("source", name)
                .gauge()
                .value();
    }

    @Override
    public void close() {
        source.drain(System.nanoTime() + PATIENCE.toNanos());
        log.close();
    }
}
