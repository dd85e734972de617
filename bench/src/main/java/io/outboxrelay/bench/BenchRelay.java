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
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.TimeUnit;

/** A relay's jar and its configuration. Each start is a new process. */
final class BenchRelay {

    private static final Duration LONGEST_START = Duration.ofSeconds(60);
    private static final Duration LONGEST_DRAIN = Duration.ofSeconds(30);
    private static final Duration BETWEEN_LOOKS = Duration.ofMillis(20);

    private final HttpClient http = HttpClient.newHttpClient();
    private final Program program;
    private final Map<String, String> secrets;
    private final Path output;
    private final Path configuration;
    private final int port;

    /**
     * What is run.
     *
     * @param jar the program
     * @param javaOptions of its JVM
     * @param settings keys of its configuration, each as {@code key=value}
     */
    record Program(Path jar, String javaOptions, List<String> settings) {}

    /**
     * A source of its configuration.
     *
     * @param keys further keys, and after those of the last source whole sections; indented YAML or empty
     */
    record Source(String name, String jdbcUrl, String schema, String keys) {}

    /**
     * Writes the configuration.
     *
     * @param servers its databases' user, and its broker
     * @param folder for its configuration and its log, of no other relay
     */
    BenchRelay(Program program, Servers servers, Path folder, List<Source> sources) throws IOException {
        this.program = program;
        this.secrets = Map.of("OUTBOX_BENCH_PASSWORD", servers.password(), "OUTBOX_BENCH_URI", servers.amqpUri());
        this.output = folder.resolve("relay.log");
        this.configuration = folder.resolve("relay.yaml");
        try (ServerSocket free = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            this.port = free.getLocalPort();
        }
        Files.createDirectories(folder);
        StringBuilder yaml = new StringBuilder("sources:\n");
        for (Source source : sources) {
            yaml.append("""
                      - name: %s
                        url: %s
                        user: %s
                        password: ${OUTBOX_BENCH_PASSWORD}
                        schema: %s
                    %s""".formatted(source.name(), source.jdbcUrl(), servers.user(), source.schema(), source.keys()));
        }
        yaml.append("""
                broker:
                  uri: ${OUTBOX_BENCH_URI}
                  exchange: %s
                http:
                  host: 127.0.0.1
                  port: %d
                """.formatted(BenchQueue.EXCHANGE, port));
        Files.writeString(configuration, yaml);
    }

    /** Starts it and does not wait until it is ready. */
    JavaProcess start() throws IOException {
        List<String> arguments = new ArrayList<>(List.of("run", "--config", configuration.toString()));
        program.settings().forEach(setting -> arguments.addAll(List.of("--set", setting)));
        Map<String, String> environment = new HashMap<>(secrets);
        environment.put("JDK_JAVA_OPTIONS", program.javaOptions());
        return JavaProcess.startJar(program.jar(), arguments, environment, output);
    }

    /** Starts it and waits until it serves all sources. */
    JavaProcess startReady() throws IOException, InterruptedException {
        long started = System.nanoTime();
        JavaProcess process = start();
        while (ask("/health/ready").filter(answer -> answer.statusCode() == 200).isEmpty()) {
            if (!process.isAlive() || System.nanoTime() - started > LONGEST_START.toNanos()) {
                process.close();
                throw new IllegalStateException("The relay was not ready within %d s; its output:%n%s"
                        .formatted(LONGEST_START.toSeconds(), process.output()));
            }
            TimeUnit.NANOSECONDS.sleep(BETWEEN_LOOKS.toNanos());
        }
        return process;
    }

    /** Asks it to stop, and waits until it has. */
    void stop(JavaProcess process) throws InterruptedException {
        process.terminate();
        OptionalInt status = process.waitFor(LONGEST_DRAIN);
        if (status.isEmpty() || status.getAsInt() != 0) {
            throw new IllegalStateException("The relay did not stop cleanly (exit status %s), see %s"
                    .formatted(status.isEmpty() ? "none" : status.getAsInt(), output));
        }
    }

    /** What it measures itself; empty if it does not answer. */
    Optional<Metrics> metrics() {
        return ask("/metrics").map(answer -> new Metrics(answer.body()));
    }

    private Optional<HttpResponse<String>> ask(String path) {
        HttpRequest request = HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + path))
                .timeout(Duration.ofSeconds(5))
                .build();
        try {
            return Optional.of(http.send(request, HttpResponse.BodyHandlers.ofString()));
        } catch (IOException e) {
            return Optional.empty();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return Optional.empty();
        }
    }
}
