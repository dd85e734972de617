package io.outboxrelay.relay.rabbitmq;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.sun.net.httpserver.HttpServer;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.outboxrelay.relay.lane.Outcome;
import io.outboxrelay.relay.lane.Publisher.Answer;
import io.outboxrelay.relay.lane.Reason;
import io.outboxrelay.relay.rabbitmq.BrokerSettings.Topology;
import io.outboxrelay.relay.testing.Events;
import io.outboxrelay.relay.testing.LogLines;
import io.outboxrelay.testservers.Servers;
import io.outboxrelay.testservers.TestVirtualHost;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The answers are those of RabbitMQ 3.10.8 in a cluster of two nodes, of which the queue's was stopped. */
@Tag("server")
class ManagementTest {

    private static final String DOWN = """
        [{"name":"orders","node":"rabbit@two","state":"down"},{"name":"audit","node":"rabbit@one","state":"running"}]\
        """;

    private final List<String> requests = new ArrayList<>();
    private HttpServer api;
    private int status = 200;
    private String body = DOWN;

    @BeforeEach
    void serve() throws IOException {
        api = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        api.createContext("/", exchange -> {
            requests.add(exchange.getRequestURI() + " "
                    + new String(
                            Base64.getDecoder()
                                    .decode(exchange.getRequestHeaders()
                                            .getFirst("Authorization")
                                            .substring("Basic ".length())),
                            StandardCharsets.UTF_8));
            byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
            exchange.sendResponseHeaders(status, bytes.length);
            exchange.getResponseBody().write(bytes);
            exchange.close();
        });
        api.start();
    }

    @AfterEach
    void stop() {
        api.stop(0);
    }

    // hazard 71
    @Test
    void names_the_queues_that_are_down_and_asks_once_for_all_lanes() {
        Management management = management("/prefix/", "shop/eu west");

        assertThat(management.down()).contains("down: 'orders' on rabbit@two");
        assertThat(management.down()).contains("down: 'orders' on rabbit@two");

        assertThat(requests)
                .containsExactly("/prefix/api/queues/shop%2Feu%20west?columns=name,node,state watcher:s3cret");
    }

    // hazard 71
    @Test
    void an_answer_that_says_nothing_means_that_nothing_is_known_and_no_password_is_logged() {
        try (LogLines log = new LogLines(Management.class.getName())) {
            body = "[{\"name\":\"audit\",\"state\":\"running\"},{\"name\":\"new\"}]";
            assertThat(management("", "/").down()).isEmpty();
            assertThat(log.complaints("")).isEmpty();

            for (String odd : List.of("", "<html>", "{\"error\":\"not_authorised\"}")) {
                body = odd;
                assertThat(management("", "/").down()).isEmpty();
            }
            status = 401;
            assertThat(management("", "/").down()).isEmpty();
            api.stop(0);
            assertThat(management("", "/").down()).isEmpty();

            assertThat(log.complaints("does not say whether a queue is down"))
                    .hasSizeGreaterThan(3)
                    .anyMatch(line -> line.contains("status 401"))
                    .noneMatch(line -> line.contains("s3cret"));
        }
    }

    // hazard 71
    @Test
    void an_event_that_no_queue_takes_while_one_is_down_spends_no_attempt() throws Exception {
        try (TestVirtualHost host = Servers.rabbitmq().newVirtualHost()) {
            BrokerSettings settings = settings(host.amqpUri()).asking(address(""));
            Broker broker = new Broker("orders", "relay", settings);
            RabbitPublisher publisher = new RabbitPublisher(
                    "orders", broker, settings, new PublishMetrics("orders", new SimpleMeterRegistry()));
            broker.start();
            try {
                await().atMost(PublisherHarness.PATIENCE).until(publisher::ready);
                publisher.publish(Events.maker().of("Order", "1"));
                publisher.flush();
                List<Answer> answers = new ArrayList<>();
                await().atMost(PublisherHarness.PATIENCE)
                        .until(() -> answers.addAll(publisher.answers(Duration.ofMillis(10))));

                assertThat(answers.get(0).outcome()).isInstanceOfSatisfying(Outcome.Nacked.class, nacked -> {
                    assertThat(nacked.reason()).isEqualTo(Reason.QUEUE_DOWN);
                    assertThat(nacked.detail()).contains("312 NO_ROUTE", "'orders' on rabbit@two");
                });
            } finally {
                publisher.close();
                broker.close();
            }
        }
    }

    private Management management(String path, String virtualHost) {
        return new Management("orders", address(path), settings("amqp://a:b@localhost/x"), virtualHost);
    }

    private URI address(String path) {
        return URI.create("http://watcher:s3cret@%s:%d%s"
                .formatted(
                        InetAddress.getLoopbackAddress().getHostAddress(),
                        api.getAddress().getPort(),
                        path));
    }

    private static BrokerSettings settings(String uri) {
        return new BrokerSettings(
                URI.create(uri),
                "events",
                "{aggregate_type}.{event_type}",
                Topology.DECLARE,
                false,
                Duration.ofSeconds(5),
                Duration.ofSeconds(5),
                null,
                null,
                false);
    }
}
