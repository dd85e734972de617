package io.outboxrelay.samples.storefront;

import java.net.ConnectException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpTimeoutException;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import org.jspecify.annotations.Nullable;
import org.springframework.stereotype.Component;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.json.JsonMapper;

/**
 * Asks other processes how they are. Unlike {@link RemoteService}, it asks once, waits for at most a second, and asks
 * again next time: whoever watches an outage wants to see it, and its end, at once. Safe for use by many threads.
 */
@Component
class Probe {

    private static final Duration PATIENCE = Duration.ofSeconds(1);

    private final JsonMapper json;
    private final HttpClient http = HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .connectTimeout(PATIENCE)
            .build();

    Probe(JsonMapper json) {
        this.json = json;
    }

    /** Whether a process answers. */
    enum State {
        /** It answered, whatever the status. */
        ANSWERS,
        /** Something holds its port but did not answer in time, or not to the end: perhaps it is frozen. */
        SILENT,
        /** Nobody listens on its port. */
        DOWN
    }

    /**
     * What came back.
     *
     * @param body empty without an answer, or if it is not of the expected kind
     */
    record Answer<T>(State state, Optional<T> body) {}

    /**
     * Sends a GET request.
     *
     * @param url of the process, with path and query
     * @param type of the answer; unknown fields are ignored
     * @return never completes exceptionally
     */
    <T> CompletableFuture<Answer<T>> ask(URI url, Class<T> type) {
        HttpRequest request = HttpRequest.newBuilder(url).timeout(PATIENCE).build();
        return http.sendAsync(request, HttpResponse.BodyHandlers.ofString())
                .handle((response, failure) -> failure == null
                        ? new Answer<>(State.ANSWERS, body(response.body(), type))
                        : new Answer<>(state(failure), Optional.empty()));
    }

    private <T> Optional<T> body(String text, Class<T> type) {
        try {
            return Optional.ofNullable(json.readValue(text, type));
        } catch (JacksonException e) {
            return Optional.empty();
        }
    }

    private static State state(@Nullable Throwable failure) {
        Throwable cause = failure instanceof CompletionException ? failure.getCause() : failure;
        return cause instanceof ConnectException && !(cause instanceof HttpTimeoutException)
                ? State.DOWN
                : State.SILENT;
    }
}
