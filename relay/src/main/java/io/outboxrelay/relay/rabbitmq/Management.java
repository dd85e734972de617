package io.outboxrelay.relay.rabbitmq;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.outboxrelay.relay.lane.Help;
import io.outboxrelay.relay.lane.LogKeys;
import io.outboxrelay.relay.lane.OncePerMinute;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.Stream;
import javax.net.ssl.SSLException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Asks the broker's management API whether a queue of the virtual host is down. To publishers, such a queue and its
 * bindings do not exist, so it may be why an event is unroutable.
 *
 * <p>Thread-safe, and no method waits. One request is under way at a time, with a rest in between. An answer is valid
 * for those who asked before its request was sent; all who ask while one is under way share the next one.
 */
final class Management {

    private static final Logger LOG = LoggerFactory.getLogger(Management.class);

    /** Rest between two requests, as a multiple of the time that the last answer took: a few percent of one core. */
    private static final int REST = 20;

    private static final Duration LONGEST_REST = Duration.ofSeconds(1);
    private static final Set<String> DOWN = Set.of("down", "stopped", "crashed");

    /** Longest that an answer may take, with its body. */
    private static final Duration TIMEOUT = Duration.ofSeconds(2);

    private static final int MOST_BYTES = 8 << 20;
    private static final int MOST_NAMED = 3;

    private final String source;
    private final HttpClient client;
    private final HttpRequest request;
    private final ObjectMapper json = new ObjectMapper();
    private final OncePerMinute complaints = new OncePerMinute();

    /** The newest request. Changed under the lock of this, like the fields below. */
    private CompletableFuture<Answer> newest = CompletableFuture.completedFuture(new Answer.NoneDown());

    /** Whether the newest request was not sent yet. */
    private boolean isToCome;

    private long restUntil = System.nanoTime();

    /** What is known about the queues of the virtual host. */
    sealed interface Answer {

        /** Some are down. */
        record Down(String inWords) implements Answer {}

        /** None is. */
        record NoneDown() implements Answer {}

        /** The API does not say. */
        record Unknown(String why) implements Answer {}
    }

    /**
     * @param source name of the source, for the log
     * @param uri address of the API, without {@code /api}; user and password may be in it
     * @param settings of the broker: its user, if the address names none, and its trust store
     * @param virtualHost the virtual host whose queues matter
     * @throws IllegalArgumentException if the settings cannot be used
     */
    Management(String source, URI uri, BrokerSettings settings, String virtualHost) {
        this.source = source;
        HttpClient.Builder builder = HttpClient.newBuilder().connectTimeout(TIMEOUT);
        if ("https".equals(uri.getScheme())) {
            try {
                builder.sslContext(Tls.context(settings));
            } catch (GeneralSecurityException | IOException e) {
                throw new IllegalArgumentException("The broker's settings cannot be used: " + e.getMessage(), e);
            }
        }
        this.client = builder.build();
        String login = Stream.of(uri.getUserInfo(), settings.uri().getUserInfo())
                .filter(Objects::nonNull)
                .findFirst()
                .orElse("guest:guest");
        this.request = HttpRequest.newBuilder(queues(uri, virtualHost))
                .timeout(TIMEOUT)
                .header(
                        "Authorization",
                        "Basic " + Base64.getEncoder().encodeToString(login.getBytes(StandardCharsets.UTF_8)))
                .build();
    }

    private static URI queues(URI uri, String virtualHost) {
        String path = uri.getRawPath() == null ? "" : uri.getRawPath().replaceFirst("/+$", "");
        return URI.create("%s://%s%s%s/api/queues/%s?columns=name,node,state"
                .formatted(
                        uri.getScheme(),
                        uri.getHost(),
                        uri.getPort() < 0 ? "" : ":" + uri.getPort(),
                        path,
                        URLEncoder.encode(virtualHost, StandardCharsets.UTF_8).replace("+", "%20")));
    }

    /**
     * Returns the answer to a request that is sent after this call. It comes within seconds, and never exceptionally.
     */
    synchronized CompletableFuture<Answer> ask() {
        if (!isToCome) {
            isToCome = true;
            newest = newest.thenComposeAsync(before -> send(), afterRest())
                    .exceptionally(failure -> new Answer.Unknown(inWords(failure)));
        }
        return newest;
    }

    /** Runs work after the rest. The request before has been answered by then. */
    private Executor afterRest() {
        return work -> CompletableFuture.delayedExecutor(restUntil() - System.nanoTime(), TimeUnit.NANOSECONDS)
                .execute(work);
    }

    private synchronized long restUntil() {
        return restUntil;
    }

    private CompletableFuture<Answer> send() {
        long now = goesOut();
        ByteArrayOutputStream body = new ByteArrayOutputStream();
        CompletableFuture<HttpResponse<Void>> exchange = client.sendAsync(
                request,
                HttpResponse.BodyHandlers.ofByteArrayConsumer(part -> part.ifPresent(bytes -> keep(body, bytes))));
        return exchange.thenApply(response -> read(response.statusCode(), body.toByteArray()))
                .orTimeout(TIMEOUT.toMillis(), TimeUnit.MILLISECONDS)
                .exceptionally(failure -> new Answer.Unknown(inWords(failure)))
                .thenApply(answer -> {
                    exchange.cancel(true); // and the rest of its body
                    answered(now, answer);
                    return answer;
                });
    }

    private synchronized long goesOut() {
        isToCome = false;
        return System.nanoTime();
    }

    private synchronized void answered(long askedAt, Answer answer) {
        long now = System.nanoTime();
        restUntil = now + Math.min(LONGEST_REST.toNanos(), REST * (now - askedAt));
        if (answer instanceof Answer.Unknown unknown) {
            complain(unknown.why());
        }
    }

    private static void keep(ByteArrayOutputStream body, byte[] part) {
        if (body.size() < MOST_BYTES) {
            body.writeBytes(part);
        }
    }

    private Answer read(int status, byte[] body) {
        try {
            JsonNode queues = status == 200 ? json.readTree(body) : json.missingNode();
            if (queues.isArray()) {
                String down = inWords(queues);
                return down == null ? new Answer.NoneDown() : new Answer.Down(down);
            }
            return new Answer.Unknown("instead of a list of queues it answers with status " + status);
        } catch (IOException e) {
            return new Answer.Unknown("its answer is not JSON"); // its text may come from any server
        }
    }

    private static String inWords(Throwable failure) {
        Throwable cause =
                failure instanceof CompletionException && failure.getCause() != null ? failure.getCause() : failure;
        if (cause instanceof TimeoutException) {
            return "it has not answered within " + TIMEOUT.toSeconds() + " s";
        }
        return cause instanceof SSLException
                ? cause
                        + "; broker.tls.trust-store names the trusted certificates, and"
                        + " broker.tls.insecure-skip-verification does not apply to this API"
                : cause.toString();
    }

    private static @Nullable String inWords(JsonNode queues) {
        List<String> names = new ArrayList<>();
        for (JsonNode queue : queues) {
            if (DOWN.contains(queue.path("state").asText())) {
                names.add("'" + queue.path("name").asText() + "' on "
                        + queue.path("node").asText());
            }
        }
        return names.isEmpty()
                ? null
                : "down: "
                        + String.join(", ", names.subList(0, Math.min(MOST_NAMED, names.size())))
                        + (names.size() > MOST_NAMED ? " and " + (names.size() - MOST_NAMED) + " more" : "");
    }

    private void complain(String why) {
        complaints.occurred(count -> LOG.atWarn()
                .addMarker(Help.MANAGEMENT_API)
                .addKeyValue(LogKeys.SOURCE, source)
                .log(
                        "Source {}: the management API at {}:{} does not say whether a queue is down: {}; returned"
                                + " events count as unroutable, and none is dropped",
                        source,
                        request.uri().getHost(),
                        request.uri().getPort(),
                        why));
    }
}
