package io.outboxrelay.samples.customers.client;

import io.github.resilience4j.circuitbreaker.CallNotPermittedException;
import io.github.resilience4j.circuitbreaker.CircuitBreaker;
import io.github.resilience4j.circuitbreaker.CircuitBreakerConfig;
import io.github.resilience4j.core.IntervalFunction;
import io.github.resilience4j.retry.Retry;
import io.github.resilience4j.retry.RetryConfig;
import io.outboxrelay.samples.customers.client.CustomersUnavailable.Reason;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpConnectTimeoutException;
import java.net.http.HttpTimeoutException;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.core.ParameterizedTypeReference;
import org.springframework.http.ProblemDetail;
import org.springframework.http.client.JdkClientHttpRequestFactory;
import org.springframework.http.converter.json.JacksonJsonHttpMessageConverter;
import org.springframework.web.client.HttpClientErrorException;
import org.springframework.web.client.HttpServerErrorException;
import org.springframework.web.client.HttpStatusCodeException;
import org.springframework.web.client.RestClient;
import org.springframework.web.client.RestClientException;
import tools.jackson.databind.PropertyNamingStrategies;
import tools.jackson.databind.json.JsonMapper;

/**
 * Calls the customers service over HTTP. All requests only read, so each may be repeated: after a failed connection and
 * after a server error the client retries a few times, with growing random waits. If the service fails too often, the
 * client does not call it for a while, so that neither it nor the callers waste their time. Safe for use by many
 * threads; one client for each service address is enough, and need not be closed.
 */
public final class CustomersClient {

    /** The version of the service's API that this client was made for, sent as {@value #VERSION_HEADER}. */
    public static final String API_VERSION = "1";

    /** Names the expected version of the API to the service. */
    public static final String VERSION_HEADER = "Accept-Version";

    private static final Logger LOG = LoggerFactory.getLogger(CustomersClient.class);

    private final URI address;
    private final Duration readTimeout;
    private final RestClient http;
    private final Retry retry;
    private final CircuitBreaker circuit;

    /**
     * How patient a client is.
     *
     * @param connectTimeout how long to wait for a connection
     * @param readTimeout how long to wait for an answer, its body included
     * @param attempts how often to ask at most, at least 1
     * @param firstBackoff the wait before the second attempt, more or less; each further one is about twice as long
     * @param window number of latest attempts that are judged, at least 2: if half of them failed, the service is not
     *     called
     * @param leftAloneFor for how long it is not called
     */
    public record Settings(
            Duration connectTimeout,
            Duration readTimeout,
            int attempts,
            Duration firstBackoff,
            int window,
            Duration leftAloneFor) {

        /**
         * Checks the values.
         *
         * @throws IllegalArgumentException if one is out of range; the message names it
         */
        public Settings {
            require(connectTimeout.toMillis() > 0, "connectTimeout must be 1 ms or more, not " + connectTimeout);
            require(readTimeout.toMillis() > 0, "readTimeout must be 1 ms or more, not " + readTimeout);
            require(attempts >= 1, "attempts must be at least 1, not " + attempts);
            require(firstBackoff.toMillis() > 0, "firstBackoff must be 1 ms or more, not " + firstBackoff);
            require(window >= 2, "window must be at least 2, not " + window);
            require(leftAloneFor.toMillis() > 0, "leftAloneFor must be 1 ms or more, not " + leftAloneFor);
        }

        /**
         * For callers with a waiting person: usually far below 3 s; at worst every attempt takes its full time.
         *
         * @return 500 ms to connect, 2 s to answer, 3 attempts from 100 ms, half of 10 attempts, 5 s
         */
        public static Settings defaults() {
            return new Settings(
                    Duration.ofMillis(500),
                    Duration.ofSeconds(2),
                    3,
                    Duration.ofMillis(100),
                    10,
                    Duration.ofSeconds(5));
        }

        private static void require(boolean holds, String otherwise) {
            if (!holds) {
                throw new IllegalArgumentException("Settings of the customers client: " + otherwise);
            }
        }
    }

    /**
     * A client with the default settings.
     *
     * @param address of the service, such as {@code http://customers:8081}
     */
    public CustomersClient(URI address) {
        this(address, Settings.defaults());
    }

    /**
     * Creates a client. It sends nothing yet: the service need not be running.
     *
     * @param address of the service, such as {@code http://customers:8081}
     * @param settings how patient it is
     */
    public CustomersClient(URI address, Settings settings) {
        this.address = address;
        this.readTimeout = settings.readTimeout();
        this.http = http(address, settings);
        this.retry = Retry.of("customers", retrying(settings));
        this.circuit = CircuitBreaker.of("customers", judging(settings));
        circuit.getEventPublisher()
                .onStateTransition(event -> LOG.warn(
                        "The customers service at {}: circuit {}",
                        address,
                        event.getStateTransition().getToState()));
    }

    /**
     * Asks for a customer.
     *
     * @param customerId which one
     * @return empty if there is no such customer
     * @throws CustomersUnavailable if there is no answer
     */
    public Optional<Customer> find(String customerId) {
        return find(new ParameterizedTypeReference<>() {}, "/customers/{id}", customerId);
    }

    /**
     * Asks for the customers of a region.
     *
     * @param region such as {@code NORTH}
     * @return in alphabetical order, as many as the service lists
     * @throws CustomersUnavailable if there is no answer
     */
    public List<Customer> ofRegion(String region) {
        return get(new ParameterizedTypeReference<>() {}, "/customers?region={region}", region);
    }

    /**
     * Asks for a customer's credit.
     *
     * @param customerId whose
     * @return as it is now
     * @throws NoSuchCustomer if there is no such customer
     * @throws CustomersUnavailable if there is no answer
     */
    public Credit credit(String customerId) {
        return find(new ParameterizedTypeReference<Credit>() {}, "/customers/{id}/credit", customerId)
                .orElseThrow(() -> new NoSuchCustomer(customerId));
    }

    /**
     * Asks for the countries that the shop sells to.
     *
     * @return by code
     * @throws CustomersUnavailable if there is no answer
     */
    public List<Country> countries() {
        return get(new ParameterizedTypeReference<>() {}, "/countries");
    }

    /**
     * Asks for the currencies that the shop takes.
     *
     * @return by code
     * @throws CustomersUnavailable if there is no answer
     */
    public List<Currency> currencies() {
        return get(new ParameterizedTypeReference<>() {}, "/currencies");
    }

    /** For resources that must exist: a service without this address is not the customers service. */
    private <T> T get(ParameterizedTypeReference<T> type, String path, String... variables) {
        return find(type, path, variables)
                .orElseThrow(() -> unavailable(Reason.REFUSED, "has nothing at " + path, null));
    }

    private <T> Optional<T> find(ParameterizedTypeReference<T> type, String path, String... variables) {
        Supplier<Optional<T>> question = () -> ask(type, path, variables);
        try {
            return retry.executeSupplier(CircuitBreaker.decorateSupplier(circuit, question));
        } catch (CallNotPermittedException e) {
            throw unavailable(Reason.LEFT_ALONE, "has failed too often recently and was not called for " + path, e);
        }
    }

    /** Asks once. */
    private <T> Optional<T> ask(ParameterizedTypeReference<T> type, String path, String... variables) {
        long asked = System.nanoTime();
        try {
            return Optional.ofNullable(
                    http.get().uri(path, (Object[]) variables).retrieve().body(type));
        } catch (HttpClientErrorException.NotFound e) {
            return Optional.empty();
        } catch (HttpClientErrorException e) {
            throw unavailable(Reason.REFUSED, "rejected GET %s: %s".formatted(path, said(e)), e);
        } catch (HttpServerErrorException e) {
            throw unavailable(Reason.FAILED, "failed at GET %s: %s".formatted(path, said(e)), e);
        } catch (RestClientException e) {
            boolean late = System.nanoTime() - asked >= readTimeout.toNanos();
            throw unavailable(path, late, e);
        }
    }

    /** There was no answer, or it could not be read to its end: then the timeout may have cut it off. */
    private CustomersUnavailable unavailable(String path, boolean late, RestClientException failure) {
        Throwable cause = failure;
        while (cause != null && !(cause instanceof IOException)) {
            cause = cause.getCause();
        }
        if (cause == null) {
            return unavailable(
                    Reason.NOT_UNDERSTOOD, "returned an unreadable answer to GET %s".formatted(path), failure);
        }
        boolean connected = !(cause instanceof HttpConnectTimeoutException);
        if (connected && (late || cause instanceof HttpTimeoutException)) {
            return unavailable(Reason.TOO_SLOW, "did not answer GET %s in time".formatted(path), failure);
        }
        return unavailable(Reason.NOT_REACHED, "could not be reached for GET %s: %s".formatted(path, cause), failure);
    }

    private CustomersUnavailable unavailable(Reason reason, String what, @Nullable Throwable cause) {
        return new CustomersUnavailable(address, reason, what, cause);
    }

    /** The service's explanation: problem details, if the service itself answered. */
    private static String said(HttpStatusCodeException answer) {
        ProblemDetail problem = null;
        try {
            problem = answer.getResponseBodyAs(ProblemDetail.class);
        } catch (RestClientException e) {
            // something else answers: its status has to do
        }
        String status = String.valueOf(answer.getStatusCode().value());
        return problem == null || problem.getDetail() == null ? status : status + ", " + problem.getDetail();
    }

    private static RestClient http(URI address, Settings settings) {
        HttpClient connections = HttpClient.newBuilder()
                .version(HttpClient.Version.HTTP_1_1)
                .connectTimeout(settings.connectTimeout())
                .build();
        JdkClientHttpRequestFactory requests = new JdkClientHttpRequestFactory(connections);
        requests.setReadTimeout(settings.readTimeout());
        JsonMapper json = JsonMapper.builder()
                .propertyNamingStrategy(PropertyNamingStrategies.SNAKE_CASE)
                .build();
        return RestClient.builder()
                .baseUrl(address)
                .requestFactory(requests)
                .configureMessageConverters(
                        converters -> converters.withJsonConverter(new JacksonJsonHttpMessageConverter(json)))
                .defaultHeader(VERSION_HEADER, API_VERSION)
                .build();
    }

    private static RetryConfig retrying(Settings settings) {
        return RetryConfig.custom()
                .maxAttempts(settings.attempts())
                .intervalFunction(IntervalFunction.ofExponentialRandomBackoff(settings.firstBackoff()))
                .retryOnException(failure -> failure instanceof CustomersUnavailable unavailable
                        && unavailable.reason().isTriedAgain())
                .build();
    }

    private static CircuitBreakerConfig judging(Settings settings) {
        return CircuitBreakerConfig.custom()
                .slidingWindowSize(settings.window())
                .minimumNumberOfCalls(settings.window())
                .failureRateThreshold(50)
                .waitDurationInOpenState(settings.leftAloneFor())
                .permittedNumberOfCallsInHalfOpenState(1)
                .recordException(failure -> failure instanceof CustomersUnavailable unavailable
                        && unavailable.reason().countsAgainstTheService())
                .build();
    }
}
