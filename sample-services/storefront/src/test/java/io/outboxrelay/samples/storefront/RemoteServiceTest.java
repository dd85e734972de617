package io.outboxrelay.samples.storefront;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.springframework.web.client.RestClient;

class RemoteServiceTest {

    private static final String LAMP = "GET /products/lamp";
    private static final Duration LONG = Duration.ofMinutes(1);
    private static final Duration SHORT = Duration.ofMillis(200);

    private ScriptedServer server;

    @BeforeEach
    void start() throws IOException {
        server = ScriptedServer.start();
    }

    @AfterEach
    void stop() {
        server.close();
    }

    @Test
    void a_failed_get_is_retried() {
        AtomicInteger tries = new AtomicInteger();
        server.on(
                LAMP,
                exchange -> ScriptedServer.send(exchange, tries.incrementAndGet() == 1 ? 503 : 200, "{\"stock\":7}"));

        assertThat(lamp(service(LONG, LONG))).contains(new Stock(7));
        assertThat(server.requestsOf(LAMP)).isEqualTo(2);
    }

    @Test
    void a_get_without_an_answer_times_out() {
        server.hangsOn(LAMP);

        assertThatThrownBy(() -> lamp(service(SHORT, LONG)))
                .isInstanceOf(ServiceUnavailable.class)
                .hasMessageContaining("The products service is unavailable: it did not answer within 200 ms");
        assertThat(server.requestsOf(LAMP)).isEqualTo(2);
    }

    @Test
    void a_broken_answer_ends_within_the_timeout() {
        server.breaksOffOn(LAMP);

        assertThatThrownBy(() -> lamp(service(SHORT, LONG))).isInstanceOf(ServiceUnavailable.class);
    }

    @Test
    void an_unreachable_service_is_named() {
        RemoteService service = service(LONG, LONG);
        server.close();

        assertThatThrownBy(() -> lamp(service))
                .isInstanceOf(ServiceUnavailable.class)
                .hasMessageContaining("The products service is unavailable: it cannot be reached")
                .isInstanceOfSatisfying(
                        ServiceUnavailable.class,
                        away -> assertThat(away.asked()).isFalse());
    }

    @Test
    void a_post_is_never_sent_twice() {
        server.on("POST /orders", 500, "");

        assertThatThrownBy(() -> service(LONG, LONG).post("/orders", Map.of("customer_id", "anna")))
                .hasMessageContaining("it answered with status 500")
                .isInstanceOfSatisfying(
                        ServiceUnavailable.class,
                        away -> assertThat(away.asked()).isTrue());
        assertThat(server.requestsOf("POST /orders")).isEqualTo(1);
    }

    @Test
    void refusals_never_open_the_circuit() {
        server.on("POST /orders", 422, "{\"detail\":\"no such customer\"}");
        RemoteService service = service(LONG, LONG);

        for (int n = 0; n < 20; n++) {
            assertThat(lamp(service)).isEmpty();
            assertThat(service.post("/orders", Map.of()).getStatusCode().value())
                    .isEqualTo(422);
        }
        server.on(LAMP, 400, "{}");
        for (int n = 0; n < 20; n++) {
            assertThatThrownBy(() -> lamp(service)).hasMessageContaining("it answered with status 400");
        }
        assertThat(server.requestsOf(LAMP)).isEqualTo(40);
    }

    @Test
    void the_circuit_opens_when_calls_fail_and_closes_when_they_do_not() {
        server.on(LAMP, 500, "");
        RemoteService service = service(LONG, SHORT);

        await().atMost(RunningStorefront.SOON)
                .pollInterval(Duration.ofMillis(1))
                .untilAsserted(() -> assertThatThrownBy(() -> lamp(service))
                        .hasMessageContaining("it failed too often and is not called for"));

        server.on(LAMP, 200, "{\"stock\":7}");
        await().atMost(RunningStorefront.SOON)
                .ignoreExceptionsInstanceOf(ServiceUnavailable.class)
                .until(() -> lamp(service).isPresent());
        for (int n = 0; n < 20; n++) {
            assertThat(lamp(service)).isPresent();
        }
    }

    @Test
    void an_open_circuit_sends_no_request() {
        server.on(LAMP, 500, "");
        RemoteService service = service(LONG, LONG);
        for (int n = 0; n < 20; n++) {
            assertThatThrownBy(() -> lamp(service)).isInstanceOf(ServiceUnavailable.class);
        }

        assertThat(server.requestsOf(LAMP)).isEqualTo(5);
    }

    private static Optional<Stock> lamp(RemoteService service) {
        return service.get("/products/{id}", "lamp", Stock.class);
    }

    private record Stock(int stock) {}

    private RemoteService service(Duration timeout, Duration rest) {
        return new RemoteService(
                "products",
                server.url(),
                new StorefrontSettings.Calls(timeout, timeout, 2, Duration.ofMillis(1), rest),
                RestClient.builder());
    }
}
