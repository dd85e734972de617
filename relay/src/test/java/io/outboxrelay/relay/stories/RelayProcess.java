package io.outboxrelay.relay.stories;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.outboxrelay.testservers.JavaProcess;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** A relay as operators run it: {@code java -jar outbox-relay.jar run --config FILE}. */
final class RelayProcess implements AutoCloseable {

    private static final Path JAR = Path.of("target", "outbox-relay.jar");
    private static final Duration STARTING = Duration.ofSeconds(60);
    private static final Duration ENDING = Duration.ofSeconds(30);
    private static final Pattern PORT = Pattern.compile("health and metrics on port (\\d+)");
    private static final HttpClient HTTP = HttpClient.newHttpClient();

    /** As in the image. */
    private static final String JAVA_OPTIONS = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC";

    private final String instance;
    private final JavaProcess process;

    private RelayProcess(String instance, JavaProcess process) {
        this.instance = instance;
        this.process = process;
    }

    /**
     * Starts a relay and does not wait.
     *
     * @param folder for its configuration and its log
     * @param file its configuration
     * @param environment added to the environment of this JVM
     */
    static RelayProcess start(Path folder, RelayFile file, Map<String, String> environment) throws IOException {
        assertThat(JAR).as("the relay's jar, which `./mvnw package` builds").exists();
        Path configuration = Files.writeString(folder.resolve(file.instance() + ".yaml"), file.yaml());
        // Each start has its own file, because output is appended.
        Path log = Files.createTempFile(folder, file.instance() + "-", ".log");
        Map<String, String> all = new HashMap<>(environment);
        all.put("JDK_JAVA_OPTIONS", JAVA_OPTIONS);
        return new RelayProcess(
                file.instance(),
                JavaProcess.startJar(JAR, List.of("run", "--config", configuration.toString()), all, log));
    }

    String instance() {
        return instance;
    }

    /** Waits until its sources are served. */
    RelayProcess awaitReady() {
        await().alias("relay " + instance + " is ready").atMost(STARTING).until(this::isReady);
        return this;
    }

    boolean isReady() throws InterruptedException {
        Matcher port = PORT.matcher(log());
        if (!port.find()) {
            assertThat(process.isAlive())
                    .as("relay %s runs; its log:%n%s", instance, log())
                    .isTrue();
            return false;
        }
        URI ready = URI.create("http://127.0.0.1:" + port.group(1) + "/health/ready");
        try {
            return HTTP.send(
                                    HttpRequest.newBuilder(ready)
                                            .timeout(Duration.ofSeconds(5))
                                            .build(),
                                    HttpResponse.BodyHandlers.discarding())
                            .statusCode()
                    == 200;
        } catch (IOException e) {
            return false;
        }
    }

    /** SIGKILL. */
    void kill() {
        process.kill();
    }

    /** SIGSTOP. */
    void freeze() {
        process.freeze();
    }

    /** SIGCONT. */
    void thaw() {
        process.thaw();
    }

    /**
     * SIGTERM, and waits for the end.
     *
     * @return its exit status
     */
    int terminate() throws InterruptedException {
        process.terminate();
        return awaitExit();
    }

    /**
     * Waits for the end.
     *
     * @return its exit status
     */
    int awaitExit() throws InterruptedException {
        OptionalInt status = process.waitFor(ENDING);
        assertThat(status)
                .as("relay %s ended within %s; its log:%n%s", instance, ENDING, log())
                .isPresent();
        return status.getAsInt();
    }

    /** Its log so far. */
    String log() {
        return process.output();
    }

    /** Lines logged so far at WARN or ERROR. */
    long complaints() {
        return log().lines()
                .filter(line -> line.contains(" WARN ") || line.contains(" ERROR "))
                .count();
    }

    @Override
    public void close() {
        process.thaw();
        process.close();
    }
}
