package io.outboxrelay.bench;

import io.outboxrelay.testservers.JavaProcess;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;

/** The relay as its container image runs it, with its default settings. */
final class RelayProgram implements Contender {

    /** The compiler option of the image's entry point. */
    static final String JAVA_OPTIONS = "-XX:TieredStopAtLevel=1";

    private static final Duration LONGEST_DRAIN = Duration.ofSeconds(30);

    private final Path jar;
    private final Servers servers;
    private final Load load;
    private final BenchOutbox outbox;
    private final String javaOptions;
    private final Path output;
    private final Path configuration;
    private final int port;
    private final @Nullable GateLoad gate;

    RelayProgram(Path jar, Servers servers, Load load, BenchOutbox outbox, String javaOptions, Path folder)
            throws IOException {
        this(jar, servers, load, outbox, javaOptions, folder, null);
    }

    /** A relay that publishes Avro events, with a gate for their schemas or without. */
    RelayProgram(
            Path jar,
            Servers servers,
            Load load,
            BenchOutbox outbox,
            String javaOptions,
            Path folder,
            @Nullable GateLoad gate)
            throws IOException {
        this.gate = gate;
        this.jar = jar;
        this.servers = servers;
        this.load = load;
        this.outbox = outbox;
        this.javaOptions = javaOptions;
        this.output = folder.resolve("relay.log");
        this.configuration = folder.resolve("relay.yaml");
        try (ServerSocket free = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            this.port = free.getLocalPort();
        }
        Files.writeString(configuration, """
                sources:
                  - name: bench
                    url: %s
                    user: %s
                    password: ${OUTBOX_BENCH_PASSWORD}
                    schema: %s
                %sbroker:
                  uri: ${OUTBOX_BENCH_URI}
                  exchange: %s
                http:
                  host: 127.0.0.1
                  port: %d
                """.formatted(
                        servers.jdbcUrl(),
                        servers.user(),
                        BenchOutbox.SCHEMA,
                        gate == null ? "" : gate.yaml(),
                        BenchQueue.EXCHANGE,
                        port));
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
        return JavaProcess.startJar(
                jar,
                List.of("run", "--config", configuration.toString()),
                Map.of(
                        "OUTBOX_BENCH_PASSWORD",
                        servers.password(),
                        "OUTBOX_BENCH_URI",
                        servers.amqpUri(),
                        "JDK_JAVA_OPTIONS",
                        javaOptions),
                output);
    }

    @Override
    public boolean isDone() throws SQLException {
        return outbox.isEmpty();
    }

    /** The share of the lanes' time that the statements took, by the relay's own timers. */
    @Override
    public String remarks(Duration drain) {
        return scrape().map(metrics -> describe(metrics, drain)).orElse("its metrics could not be read");
    }

    @Override
    public void stop(JavaProcess process) throws InterruptedException {
        process.terminate();
        OptionalInt status = process.waitFor(LONGEST_DRAIN);
        if (status.isEmpty() || status.getAsInt() != 0) {
            throw new IllegalStateException("The relay did not stop cleanly (exit status %s), see %s"
                    .formatted(status.isEmpty() ? "none" : status.getAsInt(), output));
        }
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

    private Optional<Metrics> scrape() {
        HttpRequest request = HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + "/metrics"))
                .timeout(Duration.ofSeconds(5))
                .build();
        try {
            HttpResponse<String> response =
                    HttpClient.newHttpClient().send(request, HttpResponse.BodyHandlers.ofString());
            return Optional.of(new Metrics(response.body()));
        } catch (IOException e) {
            return Optional.empty();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return Optional.empty();
        }
    }
}
