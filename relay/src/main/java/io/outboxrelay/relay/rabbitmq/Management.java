package io.outboxrelay.relay.rabbitmq;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
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
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Asks the broker's management API whether a queue of the virtual host is down. To publishers such a queue does not exist,
 * and neither do its bindings, so it may be what an unroutable event is missing. Thread-safe; an answer, also that there
 * was none, is used for ten seconds, for which the broker is spared.
 */
final class Management {

    private static final Logger LOG = LoggerFactory.getLogger(Management.class);
    private static final Duration ANSWER_HOLDS = Duration.ofSeconds(10);
    private static final Duration REPEATED_AFTER = Duration.ofMinutes(1);
    private static final Set<String> DOWN = Set.of("down", "stopped", "crashed");

    /** Longest that a lane waits for an answer. */
    private static final Duration TIMEOUT = Duration.ofSeconds(2);

    private static final int MOST_BYTES = 8 << 20;
    private static final int MOST_NAMED = 3;

    private final String source;
    private final HttpClient client;
    private final HttpRequest request;
    private final ObjectMapper json = new ObjectMapper();
    private @Nullable String down;
    private @Nullable Long askedAt;
    private @Nullable Long complainedAt;

    /**
     * @param source name of the source, for the log
     * @param uri address of the API, without {@code /api}; user and password may be in it
     * @param settings of the broker: whose user is asked for when the address names none, and whom to trust
     * @param virtualHost whose queues matter
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

    /** Returns which queues are down, in words; empty when none is, or when there is no answer. */
    synchronized Optional<String> down() {
        long now = System.nanoTime();
        if (askedAt == null || now - askedAt > ANSWER_HOLDS.toNanos()) {
            down = ask(now);
            askedAt = System.nanoTime();
        }
        return Optional.ofNullable(down);
    }

    private @Nullable String ask(long now) {
        try {
            HttpResponse<InputStream> response = client.send(request, HttpResponse.BodyHandlers.ofInputStream());
            try (InputStream body = response.body()) {
                JsonNode queues =
                        response.statusCode() == 200 ? json.readTree(body.readNBytes(MOST_BYTES)) : json.missingNode();
                if (queues.isArray()) {
                    return inWords(queues);
                }
                complain(now, "instead of a list of queues it answers with status " + response.statusCode());
            }
        } catch (JsonProcessingException e) {
            complain(now, "its answer is not JSON"); // whose words are somebody else's
        } catch (IOException e) {
            complain(now, e.toString());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        return null;
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

    private void complain(long now, String why) {
        if (complainedAt == null || now - complainedAt >= REPEATED_AFTER.toNanos()) {
            complainedAt = now;
            LOG.warn(
                    "Source {}: the management API at {}:{} does not say whether a queue is down: {}; events that are"
                            + " returned count as unroutable",
                    source,
                    request.uri().getHost(),
                    request.uri().getPort(),
                    why);
        }
    }
}
