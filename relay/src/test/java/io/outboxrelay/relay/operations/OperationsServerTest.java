package io.outboxrelay.relay.operations;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.outboxrelay.relay.operations.OperationsServer.CannotListenException;
import io.outboxrelay.relay.operations.OperationsServer.HttpSettings;
import io.outboxrelay.relay.operations.OperationsServer.HttpSettings.Details;
import io.outboxrelay.relay.operations.OperationsServer.SourceHealth;
import java.io.IOException;
import java.net.Inet4Address;
import java.net.InetAddress;
import java.net.NetworkInterface;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class OperationsServerTest {

    private final AtomicReference<List<SourceHealth>> health = new AtomicReference<>(List.of());
    private final Meters meters = new Meters("1.2.3");
    private final OperationsServer server =
            new OperationsServer(new HttpSettings("0.0.0.0", 0, Details.LOOPBACK), meters, health::get);

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
            HttpSettings settings = new HttpSettings("0.0.0.0", taken.getLocalPort(), Details.LOOPBACK);
            try (OperationsServer other = new OperationsServer(settings, meters, health::get)) {
                assertThatThrownBy(other::start)
                        .isInstanceOf(CannotListenException.class)
                        .hasMessageContaining("http.port " + taken.getLocalPort());
            }
        }
    }

    @Test // hazard 95
    void a_stranger_is_told_whether_it_is_ready_and_not_why() throws Exception {
        health.set(List.of(new SourceHealth("orders", false, "jdbc:postgresql://secret-host/orders does not answer")));

        HttpResponse<String> byAProxy = send("127.0.0.1", "/health/ready", "X-Forwarded-For", "203.0.113.7");

        assertThat(byAProxy.statusCode()).isEqualTo(503);
        assertThat(byAProxy.body())
                .isEqualTo("{\"status\":\"not ready\","
                        + "\"details\":\"only on the relay's own machine, unless http.details is everyone\"}");
        Optional<String> another = addressThatIsNotLoopback();
        if (another.isPresent()) {
            assertThat(send(another.get(), "/health/ready", "X", "").body()).isEqualTo(byAProxy.body());
        }
        try (OperationsServer open =
                new OperationsServer(new HttpSettings("127.0.0.1", 0, Details.EVERYONE), meters, health::get)) {
            open.start();
            URI address = URI.create("http://127.0.0.1:" + open.port() + "/health/ready");
            HttpRequest request = HttpRequest.newBuilder(address)
                    .header("X-Forwarded-For", "203.0.113.7")
                    .build();
            assertThat(HttpClient.newHttpClient()
                            .send(request, BodyHandlers.ofString())
                            .body())
                    .contains("secret-host");
        }
    }

    @Test
    void nothing_but_questions_is_answered() throws Exception {
        HttpRequest request = HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + server.port() + "/health/live"))
                .POST(HttpRequest.BodyPublishers.ofString("{}"))
                .build();

        HttpResponse<String> answer = HttpClient.newHttpClient().send(request, BodyHandlers.ofString());

        assertThat(answer.statusCode()).isEqualTo(405);
        assertThat(answer.headers().firstValue("Allow")).hasValue("GET, HEAD");
    }

    @Test // hazard 95
    void thousands_of_slow_clients_keep_no_health_check_out_and_few_connections() throws Exception {
        List<Socket> slow = new ArrayList<>();
        try {
            for (int n = 0; n < 1_000; n++) {
                Socket client = new Socket("127.0.0.1", server.port());
                slow.add(client);
                client.getOutputStream().write("GET /health/live HTTP/1.1\r\nHost: a\r\nX-Slow: ".getBytes(US_ASCII));
            }

            assertThat(get("/health/live").statusCode()).isEqualTo(200);
            await().atMost(Duration.ofSeconds(30))
                    .untilAsserted(() -> assertThat(slow.stream()
                                    .filter(OperationsServerTest::isOpen)
                                    .count())
                            .isLessThanOrEqualTo(100));
            assertThat(get("/health/live").statusCode()).isEqualTo(200);
        } finally {
            for (Socket client : slow) {
                client.close();
            }
        }
    }

    private static boolean isOpen(Socket client) {
        try {
            client.getOutputStream().write('x'); // never silent for long
            client.setSoTimeout(1);
            return client.getInputStream().read() >= 0;
        } catch (SocketTimeoutException e) {
            return true;
        } catch (IOException e) {
            return false;
        }
    }

    private static Optional<String> addressThatIsNotLoopback() throws IOException {
        return NetworkInterface.networkInterfaces()
                .flatMap(NetworkInterface::inetAddresses)
                .filter(address -> address instanceof Inet4Address && !address.isLoopbackAddress())
                .map(InetAddress::getHostAddress)
                .findFirst();
    }

    private HttpResponse<String> get(String path) throws IOException, InterruptedException {
        return send("127.0.0.1", path, "X", "");
    }

    private HttpResponse<String> send(String host, String path, String header, String value)
            throws IOException, InterruptedException {
        URI address = URI.create("http://" + host + ":" + server.port() + path);
        HttpRequest request =
                HttpRequest.newBuilder(address).header(header, value).build();
        return HttpClient.newHttpClient().send(request, BodyHandlers.ofString());
    }
}
