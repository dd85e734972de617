package io.outboxrelay.schemas.registry;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.outboxrelay.schemas.registry.RegistryException.Kind;
import java.io.IOException;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/**
 * Requests to a registry and what became of them. Every request may be made again: registering the same schema twice
 * gives the same version.
 */
final class RegistryHttp {

    /** Larger than any schema in use, and far from filling a heap. */
    private static final int MOST_BYTES = 8 << 20;

    private static final String MEDIA_TYPE = "application/vnd.schemaregistry.v1+json";
    private static final Duration FIRST_PAUSE = Duration.ofMillis(200);
    private static final Set<Integer> OVERLOADED = Set.of(429, 502, 503, 504);
    private static final int LONGEST_REASON = 600;
    private static final ObjectMapper JSON = new ObjectMapper();

    private final RegistrySettings settings;
    private final String base;
    private final HttpClient client;

    RegistryHttp(RegistrySettings settings) {
        this.settings = settings;
        this.base = settings.url().toString().replaceFirst("/+$", "");
        HttpClient.Builder builder = HttpClient.newBuilder()
                .version(HttpClient.Version.HTTP_1_1)
                .followRedirects(HttpClient.Redirect.NEVER)
                .connectTimeout(settings.timeout());
        if (settings.trust() != null) {
            builder.sslContext(Trust.context(settings.trust(), settings.trustPassword()));
        }
        this.client = builder.build();
    }

    /** One part of a path, with whatever a subject's name may hold. */
    static String part(String name) {
        return URLEncoder.encode(name, StandardCharsets.UTF_8).replace("+", "%20");
    }

    /**
     * Asks.
     *
     * @param path below the address of the registry
     * @param what is asked for, for the message
     */
    JsonNode get(String path, String what) {
        return send(request(path).GET().build(), what);
    }

    JsonNode post(String path, JsonNode body, String what) {
        return send(
                request(path)
                        .POST(HttpRequest.BodyPublishers.ofString(body.toString()))
                        .build(),
                what);
    }

    JsonNode put(String path, JsonNode body, String what) {
        return send(
                request(path)
                        .PUT(HttpRequest.BodyPublishers.ofString(body.toString()))
                        .build(),
                what);
    }

    RegistryException refused(String what, String why) {
        return failure(Kind.REFUSED, what, why, null);
    }

    private HttpRequest.Builder request(String path) {
        HttpRequest.Builder request = HttpRequest.newBuilder(URI.create(base + path))
                .header("Accept", MEDIA_TYPE + ", application/json")
                .header("Content-Type", MEDIA_TYPE)
                .timeout(settings.timeout());
        settings.credentials().authorization().ifPresent(value -> request.header("Authorization", value));
        return request;
    }

    private JsonNode send(HttpRequest request, String what) {
        for (int attempt = 1; ; attempt++) {
            try {
                return once(request, what);
            } catch (RegistryException e) {
                boolean mayHelp = e.kind() == Kind.AWAY || e.kind() == Kind.FAILED;
                if (!mayHelp || attempt >= settings.attempts()) {
                    throw e;
                }
            }
            pause(attempt, what);
        }
    }

    /** Doubles with each attempt, with jitter, so that those who failed together do not come back together. */
    private void pause(int attempt, String what) {
        long longest = FIRST_PAUSE.toMillis() << Math.min(attempt - 1, 5);
        try {
            TimeUnit.MILLISECONDS.sleep(
                    longest / 2 + ThreadLocalRandom.current().nextLong(longest / 2 + 1));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw failure(Kind.AWAY, what, "interrupted while waiting to ask again", e);
        }
    }

    private JsonNode once(HttpRequest request, String what) {
        CompletableFuture<HttpResponse<byte[]>> answer = client.sendAsync(request, info -> new BoundedBody(MOST_BYTES));
        try {
            // The client's own timeout ends with the headers; a body may stand still too.
            HttpResponse<byte[]> response = answer.get(settings.timeout().toMillis(), TimeUnit.MILLISECONDS);
            return read(response, what);
        } catch (TimeoutException e) {
            answer.cancel(true);
            throw failure(
                    Kind.AWAY, what, "no answer within " + settings.timeout().toMillis() + " ms", e);
        } catch (ExecutionException e) {
            Throwable cause = e.getCause() == null ? e : e.getCause();
            throw failure(Kind.AWAY, what, reason(cause), cause);
        } catch (InterruptedException e) {
            answer.cancel(true);
            Thread.currentThread().interrupt();
            throw failure(Kind.AWAY, what, "interrupted while waiting for the answer", e);
        }
    }

    private JsonNode read(HttpResponse<byte[]> response, String what) {
        JsonNode body;
        try {
            body = JSON.readTree(response.body());
        } catch (IOException e) {
            body = JSON.missingNode();
        }
        int status = response.statusCode();
        if (status == 200 && !body.isMissingNode()) {
            return body;
        }
        String said = "status " + status
                + (body.hasNonNull("message")
                        ? ": " + shortened(body.get("message").asText())
                        : "");
        throw failure(kind(status), what, status == 200 ? "its answer is not JSON" : said, null);
    }

    private static Kind kind(int status) {
        if (OVERLOADED.contains(status)) {
            return Kind.AWAY;
        }
        return switch (status) {
            case 401, 403 -> Kind.FORBIDDEN;
            case 404 -> Kind.MISSING;
            case 409 -> Kind.INCOMPATIBLE;
            case 500 -> Kind.FAILED;
            default -> Kind.REFUSED;
        };
    }

    private RegistryException failure(Kind kind, String what, String why, @Nullable Throwable cause) {
        String said = switch (kind) {
            case AWAY -> "does not answer";
            case FAILED -> "fails";
            case FORBIDDEN -> "does not accept " + asker();
            case MISSING -> "does not have it";
            case INCOMPATIBLE -> "finds it incompatible";
            case REFUSED -> "refused";
        };
        return new RegistryException(kind, "%s: the registry %s %s: %s".formatted(what, base, said, why), cause);
    }

    private String asker() {
        return settings.credentials() instanceof Credentials.None
                ? "a request without credentials"
                : settings.credentials().toString();
    }

    private static String reason(Throwable cause) {
        String message = cause.getMessage();
        return message == null || message.isBlank() ? cause.getClass().getSimpleName() : message;
    }

    private static String shortened(String text) {
        return text.length() <= LONGEST_REASON ? text : text.substring(0, LONGEST_REASON) + "…";
    }
}
