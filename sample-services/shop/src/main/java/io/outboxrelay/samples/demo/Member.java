package io.outboxrelay.samples.demo;

import io.outboxrelay.testservers.JavaProcess;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Objects;
import java.util.function.Predicate;
import org.springframework.core.ParameterizedTypeReference;
import org.springframework.web.client.RestClient;
import org.springframework.web.client.RestClientException;

/** A service or a relay of the shop: a process that can be killed and started again, at the same port. */
final class Member {

    /** A start that fails ends the process, and is noticed at once; a busy machine may need long. */
    private static final Duration LONGEST_START = Duration.ofMinutes(10);

    private static final Duration LONGEST_STOP = Duration.ofSeconds(10);
    private static final Duration LOOK = Duration.ofMillis(100);

    private final String name;
    private final URI url;
    private final Path log;
    private final Start start;
    private JavaProcess process;

    /** Starts the process. */
    @FunctionalInterface
    interface Start {
        JavaProcess now() throws IOException;
    }

    /**
     * Starts it.
     *
     * @param port for HTTP
     * @param log file for its output
     */
    Member(String name, int port, Path log, Start start) throws IOException {
        this.name = name;
        this.url = URI.create("http://127.0.0.1:" + port);
        this.log = log;
        this.start = start;
        this.process = start.now();
    }

    String name() {
        return name;
    }

    URI url() {
        return url;
    }

    /** Another one after each start. */
    long pid() {
        return process.pid();
    }

    boolean isAlive() {
        return process.isAlive();
    }

    void kill() {
        process.kill();
    }

    void freeze() {
        process.freeze();
    }

    void thaw() {
        process.thaw();
    }

    /** After it has ended. */
    void startAgain() {
        try {
            process = start.now();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Returns when its answer at the path is as expected. */
    void await(String path, Predicate<Map<String, Object>> wanted) {
        long end = System.nanoTime() + LONGEST_START.toNanos();
        while (!answers(path, wanted)) {
            if (System.nanoTime() - end > 0) {
                throw new DemoFailure(
                        "%s was not ready after %d s; see %s".formatted(name, LONGEST_START.toSeconds(), log));
            }
            pause();
        }
    }

    /** Its answer at the path; it must be a JSON object. */
    Map<String, Object> get(String path) {
        try {
            return Objects.requireNonNull(RestClient.create(url)
                    .get()
                    .uri(path)
                    .retrieve()
                    .body(new ParameterizedTypeReference<Map<String, Object>>() {}));
        } catch (RestClientException e) {
            throw new DemoFailure(
                    "%s does not answer at %s%s: %s; see %s".formatted(name, url, path, e.getMessage(), log), e);
        }
    }

    void checkAlive() {
        if (!process.isAlive()) {
            throw new DemoFailure("%s exited unexpectedly; see %s".formatted(name, log));
        }
    }

    void terminate() {
        process.terminate();
    }

    /** Gives it time to stop after SIGTERM, then kills it. */
    void end() {
        try {
            process.waitFor(LONGEST_STOP);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        process.close();
    }

    private boolean answers(String path, Predicate<Map<String, Object>> wanted) {
        checkAlive();
        try {
            return wanted.test(get(path));
        } catch (DemoFailure e) {
            return false;
        }
    }

    private void pause() {
        try {
            Thread.sleep(LOOK.toMillis());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new DemoFailure("interrupted", e);
        }
    }
}
