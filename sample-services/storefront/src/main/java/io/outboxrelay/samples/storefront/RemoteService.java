package io.outboxrelay.samples.storefront;

import io.github.resilience4j.circuitbreaker.CallNotPermittedException;
import io.github.resilience4j.circuitbreaker.CircuitBreaker;
import io.github.resilience4j.circuitbreaker.CircuitBreakerConfig;
import io.github.resilience4j.retry.Retry;
import io.github.resilience4j.retry.RetryConfig;
import java.io.IOException;
import java.net.ConnectException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpConnectTimeoutException;
import java.net.http.HttpTimeoutException;
import java.time.Duration;
import java.util.Optional;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.springframework.http.HttpMethod;
import org.springframework.http.HttpStatus;
import org.springframework.http.HttpStatusCode;
import org.springframework.http.MediaType;
import org.springframework.http.ResponseEntity;
import org.springframework.http.client.ClientHttpResponse;
import org.springframework.http.client.JdkClientHttpRequestFactory;
import org.springframework.web.client.RestClient;
import org.springframework.web.client.RestClientException;

/**
 * Calls another service over HTTP. Safe for use by many threads.
 *
 * <ul>
 *   <li>A call ends within its timeout.
 *   <li>A failed GET is retried after a pause. A POST is not, because without an answer it may have had its effect.
 *   <li>A circuit breaker counts every attempt. If half of the last ten or of the first five failed, calls fail at once
 *       for a while; then two calls check whether the service is back.
 * </ul>
 *
 * <p>No answer, 5xx and 429 are failures. Any other status is an answer.
 */
final class RemoteService {

    private static final int LAST_CALLS = 10;
    private static final int CALLS_BEFORE_JUDGING = 5;
    private static final int TRIAL_CALLS = 2;

    private final String name;
    private final StorefrontSettings.Calls settings;
    private final RestClient http;
    private final CircuitBreaker circuit;
    private final Retry retry;

    RemoteService(String name, URI url, StorefrontSettings.Calls settings, RestClient.Builder http) {
        this.name = name;
        this.settings = settings;
        this.http = http.baseUrl(url).requestFactory(connections(settings)).build();
        this.circuit = CircuitBreaker.of(
                name,
                CircuitBreakerConfig.custom()
                        .slidingWindowSize(LAST_CALLS)
                        .minimumNumberOfCalls(CALLS_BEFORE_JUDGING)
                        .permittedNumberOfCallsInHalfOpenState(TRIAL_CALLS)
                        .waitDurationInOpenState(settings.rest())
                        .ignoreException(RemoteService::isRefusal)
                        .build());
        this.retry = Retry.of(
                name,
                RetryConfig.custom()
                        .maxAttempts(settings.attempts())
                        .waitDuration(settings.pause())
                        .retryOnException(e -> !(e instanceof CallNotPermittedException || isRefusal(e)))
                        .build());
    }

    private static JdkClientHttpRequestFactory connections(StorefrontSettings.Calls settings) {
        JdkClientHttpRequestFactory factory = new JdkClientHttpRequestFactory(HttpClient.newBuilder()
                .version(HttpClient.Version.HTTP_1_1)
                .connectTimeout(settings.connectTimeout())
                .build());
        factory.setReadTimeout(settings.timeout());
        return factory;
    }

    /**
     * Sends a GET request.
     *
     * @param path below the service's address, with placeholders for ids
     * @param id for the placeholder
     * @param type of the answer; unknown fields are ignored
     * @return empty if the service does not know it
     * @throws ServiceUnavailable without a usable answer
     */
    <T> Optional<T> get(String path, String id, Class<T> type) {
        return away(Retry.decorateSupplier(
                retry,
                CircuitBreaker.decorateSupplier(
                        circuit,
                        () -> http.get()
                                .uri(path, id)
                                .accept(MediaType.APPLICATION_JSON)
                                .exchange((request, response) -> body(response, type)))));
    }

    /**
     * Passes a request on, once.
     *
     * @param path below the service's address, with placeholders for ids
     * @param body to be sent as JSON, null for none
     * @param ids for the placeholders
     * @return the service's answer, even if it is a refusal
     * @throws ServiceUnavailable without an answer; the service may still have carried out the request
     */
    ResponseEntity<byte[]> post(String path, @Nullable Object body, Object... ids) {
        return away(CircuitBreaker.decorateSupplier(circuit, () -> {
            RestClient.RequestBodySpec request = http.method(HttpMethod.POST).uri(path, ids);
            if (body != null) {
                request.contentType(MediaType.APPLICATION_JSON).body(body);
            }
            return request.exchange((sent, response) -> whole(response));
        }));
    }

    private <T> T away(Supplier<T> call) {
        try {
            return call.get();
        } catch (CallNotPermittedException e) {
            throw new ServiceUnavailable(
                    name, "it failed too often and is not called for " + millis(settings.rest()), false, e);
        } catch (Unusable e) {
            throw new ServiceUnavailable(name, "it answered with status " + e.status.value(), true, e);
        } catch (RestClientException e) {
            throw isUnreachable(e)
                    ? new ServiceUnavailable(name, "it cannot be reached", false, e)
                    : new ServiceUnavailable(name, why(e), true, e);
        }
    }

    private static boolean isUnreachable(RestClientException e) {
        return e.getCause() instanceof ConnectException || e.getCause() instanceof HttpConnectTimeoutException;
    }

    private String why(RestClientException e) {
        if (e.getCause() instanceof HttpTimeoutException) {
            return "it did not answer within " + millis(settings.timeout());
        }
        return e.getCause() instanceof IOException ? "the connection broke" : "its answer is unreadable";
    }

    private static String millis(Duration duration) {
        return duration.toMillis() + " ms";
    }

    /** The service works, and reports that the request is invalid. */
    private static boolean isRefusal(Throwable e) {
        return e instanceof Unusable unusable
                && unusable.status.is4xxClientError()
                && !unusable.status.isSameCodeAs(HttpStatus.TOO_MANY_REQUESTS);
    }

    private static <T> Optional<T> body(
            RestClient.RequestHeadersSpec.ConvertibleClientHttpResponse response, Class<T> type) throws IOException {
        HttpStatusCode status = usable(response);
        if (status.isSameCodeAs(HttpStatus.NOT_FOUND)) {
            return Optional.empty();
        }
        if (!status.is2xxSuccessful()) {
            throw new Unusable(status);
        }
        return Optional.ofNullable(response.bodyTo(type));
    }

    private static ResponseEntity<byte[]> whole(ClientHttpResponse response) throws IOException {
        HttpStatusCode status = usable(response);
        return ResponseEntity.status(status)
                .headers(response.getHeaders())
                .body(response.getBody().readAllBytes());
    }

    private static HttpStatusCode usable(ClientHttpResponse response) throws IOException {
        HttpStatusCode status = response.getStatusCode();
        if (status.is5xxServerError() || status.isSameCodeAs(HttpStatus.TOO_MANY_REQUESTS)) {
            throw new Unusable(status);
        }
        return status;
    }

    /** An unusable status. */
    private static final class Unusable extends RuntimeException {

        private final transient HttpStatusCode status;

        private Unusable(HttpStatusCode status) {
            super(status.toString());
            this.status = status;
        }
    }
}
