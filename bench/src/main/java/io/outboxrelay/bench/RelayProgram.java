package io.outboxrelay.bench;

import io.outboxrelay.testservers.JavaProcess;
import java.io.IOException;
import java.sql.SQLException;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/** The relay as its container image runs it, with its default settings, as a contender. */
final class RelayProgram implements Contender {

    private final Load load;
    private final BenchOutbox outbox;
    private final BenchRelay relay;
    private final @Nullable GateLoad gate;

    RelayProgram(Load load, BenchOutbox outbox, BenchRelay relay) {
        this(load, outbox, relay, null);
    }

    /** A relay that publishes Avro events, with a gate for their schemas or without. */
    RelayProgram(Load load, BenchOutbox outbox, BenchRelay relay, @Nullable GateLoad gate) {
        this.load = load;
        this.outbox = outbox;
        this.relay = relay;
        this.gate = gate;
    }

    @Override
    public String name() {
        return gate == null ? "relay" : gate.name();
    }

    @Override
    public void prepare(long events) throws SQLException {
        if (gate == null) {
            outbox.fill(events, load.aggregates(), load.payloadBytes());
        } else {
            outbox.fill(
                    events,
                    load.aggregates(),
                    GateLoad.payload(load.payloadBytes()),
                    "application/avro",
                    GateLoad.HEADERS);
        }
    }

    @Override
    public JavaProcess start(long events) throws IOException {
        return relay.start();
    }

    @Override
    public boolean isDone() throws SQLException {
        return outbox.isEmpty();
    }

    /** The share of the lanes' time that the statements took, by the relay's own timers. */
    @Override
    public String remarks(Duration drain) {
        return relay.metrics().map(metrics -> describe(metrics, drain)).orElse("its metrics could not be read");
    }

    @Override
    public void stop(JavaProcess process) throws InterruptedException {
        relay.stop(process);
    }

    private String describe(Metrics metrics, Duration drain) {
        double lanes = metrics.sum("outbox_relay_lanes");
        double total = lanes * drain.toNanos() / 1e9;
        double claim = metrics.sum("outbox_relay_claim_seconds_sum");
        double settle = metrics.sum("outbox_relay_settle_seconds_sum");
        double confirms = metrics.sum("outbox_relay_publish_seconds_count");
        return ("time of %.0f lanes: read %.0f %% (%.0f claims, %.1f ms each), settle %.0f %%"
                        + " (%.0f, %.1f ms each), publish and wait %.0f %%; a confirm took %.1f ms on average")
                .formatted(
                        lanes,
                        100 * claim / total,
                        metrics.sum("outbox_relay_claim_seconds_count"),
                        1000 * claim / metrics.sum("outbox_relay_claim_seconds_count"),
                        100 * settle / total,
                        metrics.sum("outbox_relay_settle_seconds_count"),
                        1000 * settle / metrics.sum("outbox_relay_settle_seconds_count"),
                        100 * (total - claim - settle) / total,
                        1000 * metrics.sum("outbox_relay_publish_seconds_sum") / confirms);
    }
}
