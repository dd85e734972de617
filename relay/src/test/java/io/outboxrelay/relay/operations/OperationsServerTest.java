package io.outboxrelay.relay.operations;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class OperationsServerTest {

    private final AtomicReference<List<SourceHealth>> health = new AtomicReference<>(List.of());
    private final Meters meters = new Meters("1.2.3");
    private final OperationsServer server = new OperationsServer(new HttpSettings("127.0.0.1", 0), meters, health::get);

    @BeforeEach
    void start() {
        server.start();
    }

    @AfterEach
    void stop() {
        server.close();
        meters.close();
    }

    @Test
    void live_depends_on_nothing() throws Exception {
        HttpResponse<String> answer = get("/health/live");

        assertThat(answer.statusCode()).isEqualTo(200);
        assertThat(answer.body()).isEqualTo("{\"status\":\"live\"}");
    }

    @Test
    void a_relay_that_does_not_run_is_not_ready() throws Exception {
        HttpResponse<String> answer = get("/health/ready");

        assertThat(answer.statusCode()).isEqualTo(503);
        assertThat(answer.body()).isEqualTo("{\"status\":\"not running\",\"sources\":[]}");
    }

    @Test // hazard 27
    void readiness_says_which_source_is_not_served_and_why() throws Exception {
        health.set(List.of(
                new SourceHealth("orders", true, "a standby"), new SourceHealth("stock", false, "no \"broker\"")));

        HttpResponse<String> answer = get("/health/ready");

        assertThat(answer.statusCode()).isEqualTo(503);
        assertThat(answer.headers().firstValue("Content-Type")).hasValue("application/json");
        assertThat(answer.body())
                .isEqualTo("{\"status\":\"not ready\",\"sources\":["
                        + "{\"name\":\"orders\",\"ready\":true,\"reason\":\"a standby\"},"
                        + "{\"name\":\"stock\",\"ready\":false,\"reason\":\"no \\\"broker\\\"\"}]}");
    }

    @Test
    void a_relay_whose_sources_are_all_served_is_ready() throws Exception {
        health.set(List.of(new SourceHealth("orders", true, "8 lanes")));

        assertThat(get("/health/ready").statusCode()).isEqualTo(200);
    }

    @Test
    void metrics_show_what_the_parts_registered() throws Exception {
        meters.registry().counter("outbox.relay.published", "source", "orders").increment(7);

        HttpResponse<String> answer = get("/metrics");

        assertThat(answer.headers().firstValue("Content-Type").orElse("")).startsWith("text/plain; version=0.0.4");
        assertThat(answer.body())
                .contains("outbox_relay_published_total{source=\"orders\"} 7.0")
                .contains("outbox_relay_info{version=\"1.2.3\"} 1")
                .contains("jvm_memory_used_bytes");
    }

    @Test
    void the_root_names_the_paths() throws Exception {
        assertThat(get("/").body()).contains("/health/live", "/health/ready", "/metrics");
        assertThat(get("/nothing").statusCode()).isEqualTo(404);
    }

    @Test
    void a_port_that_is_taken_is_said_so() throws IOException {
        try (ServerSocket taken = new ServerSocket(0)) {
            HttpSettings settings = new HttpSettings("0.0.0.0", taken.getLocalPort());
            try (OperationsServer other = new OperationsServer(settings, meters, health::get)) {
                assertThatThrownBy(other::start)
                        .isInstanceOf(IllegalStateException.class)
                        .hasMessageContaining("http.port " + taken.getLocalPort());
            }
        }
    }

    private HttpResponse<String> get(String path) throws IOException, InterruptedException {
        URI address = URI.create("http://127.0.0.1:" + server.port() + path);
        return HttpClient.newHttpClient().send(HttpRequest.newBuilder(address).build(), BodyHandlers.ofString());
    }
}
