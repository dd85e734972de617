package io.outboxrelay.relay.rabbitmq;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.sun.net.httpserver.HttpServer;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.outboxrelay.relay.lane.Outcome;
import io.outboxrelay.relay.lane.Outcome.Reason;
import io.outboxrelay.relay.lane.Publisher;
import io.outboxrelay.relay.rabbitmq.BrokerSettings.Topology;
import io.outboxrelay.relay.rabbitmq.Management.Answer;
import io.outboxrelay.relay.rabbitmq.Management.Answer.Down;
import io.outboxrelay.relay.rabbitmq.Management.Answer.NoneDown;
import io.outboxrelay.relay.rabbitmq.Management.Answer.Unknown;
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
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
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

    private static final String NONE_DOWN = "[{\"name\":\"audit\",\"state\":\"running\"},{\"name\":\"new\"}]";

    private final List<String> requests = new CopyOnWriteArrayList<>();
    private HttpServer api;
    private volatile int status = 200;
    private volatile String body = DOWN;

    /** What an answer waits for: as a whole, or before the last of its body. */
    private volatile CountDownLatch held = new CountDownLatch(0);

    private volatile boolean heldInTheMiddle;

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
            if (!heldInTheMiddle) {
                awaitPermission();
            }
            exchange.sendResponseHeaders(status, bytes.length);
            exchange.getResponseBody().write(bytes, 0, bytes.length / 2);
            exchange.getResponseBody().flush();
            if (heldInTheMiddle) {
                awaitPermission();
            }
            exchange.getResponseBody().write(bytes, bytes.length / 2, bytes.length - bytes.length / 2);
            exchange.close();
        });
        api.start();
    }

    @AfterEach
    void stop() {
        held.countDown();
        api.stop(0);
    }

    // hazard 71
    @Test
    void names_the_queues_that_are_down_and_asks_once_for_all_who_ask_while_a_question_is_out() {
        Management management = management("/prefix/", "shop/eu west");
        held = new CountDownLatch(1);
        CompletableFuture<Answer> first = management.ask();
        await().atMost(PublisherHarness.PATIENCE).until(() -> requests.size() == 1);

        List<CompletableFuture<Answer>> meanwhile = List.of(management.ask(), management.ask(), management.ask());
        held.countDown();

        assertThat(first.join()).isEqualTo(new Down("down: 'orders' on rabbit@two"));
        assertThat(meanwhile).extracting(CompletableFuture::join).containsOnly(first.join());
        assertThat(requests)
                .hasSize(2)
                .containsOnly("/prefix/api/queues/shop%2Feu%20west?columns=name,node,state watcher:s3cret");
    }

    // hazard 71
    @Test
    void an_answer_that_says_nothing_means_that_nothing_is_known_and_no_password_is_logged() {
        try (LogLines log = new LogLines(Management.class.getName())) {
            body = NONE_DOWN;
            assertThat(said()).isEqualTo(new NoneDown());
            assertThat(log.complaints("")).isEmpty();

            for (String odd : List.of("", "<html>", "{\"error\":\"not_authorised\"}")) {
                body = odd;
                assertThat(said()).isInstanceOf(Unknown.class);
            }
            status = 401;
            assertThat(said()).isInstanceOf(Unknown.class);
            api.stop(0);
            assertThat(said()).isInstanceOf(Unknown.class);

            assertThat(log.complaints("does not say whether a queue is down"))
                    .hasSizeGreaterThan(3)
                    .anyMatch(line -> line.contains("status 401"))
                    .noneMatch(line -> line.contains("s3cret"));
        }
    }

    // hazard 71
    @Test
    void an_answer_whose_body_does_not_end_is_no_answer_and_the_next_question_is_asked() {
        heldInTheMiddle = true;
        held = new CountDownLatch(1);
        Management management = management("", "/");

        assertThat(management.ask().join()).isEqualTo(new Unknown("it has not answered within 2 s"));
        held.countDown();

        assertThat(management.ask().join()).isInstanceOf(Down.class);
    }

    // hazard 71
    @Test
    void an_interrupt_of_a_lane_is_neither_lost_nor_taken_for_an_answer() {
        Thread.currentThread().interrupt();

        CompletableFuture<Answer> asked = management("", "/").ask();

        assertThat(Thread.interrupted()).isTrue();
        assertThat(asked.join()).isInstanceOf(Down.class);
    }

    @Test
    void a_lanes_own_connection_asks_with_that_of_all_lanes() {
        held = new CountDownLatch(1);
        Broker broker =
                new Broker("orders", "relay", settings("amqp://a:b@localhost/x").asking(address("")));
        broker.askForQueues();
        await().atMost(PublisherHarness.PATIENCE).until(() -> requests.size() == 1);

        assertThat(broker.another().askForQueues()).isEqualTo(broker.askForQueues());
    }

    // hazard 71
    @Test
    void an_event_that_no_queue_takes_is_judged_by_what_the_api_says_after_it_came_back() throws Exception {
        try (TestVirtualHost host = Servers.rabbitmq().newVirtualHost()) {
            BrokerSettings settings = settings(host.amqpUri()).asking(address(""));
            Broker broker = new Broker("orders", "relay", settings);
            RabbitPublisher publisher = new RabbitPublisher(
                    "orders", broker, settings, new PublishMetrics("orders", new SimpleMeterRegistry()));
            broker.start();
            try {
                await().atMost(PublisherHarness.PATIENCE).until(publisher::ready);

                body = NONE_DOWN;
                assertThat(outcome(publisher)).isInstanceOfSatisfying(Outcome.Returned.class, returned -> {
                    assertThat(returned.reason()).isEqualTo(Reason.UNROUTABLE);
                    assertThat(returned.mayBeDown()).isFalse();
                });

                body = DOWN;
                assertThat(outcome(publisher))
                        .as("spends no attempt")
                        .isInstanceOfSatisfying(Outcome.Nacked.class, nacked -> {
                            assertThat(nacked.reason()).isEqualTo(Reason.QUEUE_DOWN);
                            assertThat(nacked.detail()).contains("312 NO_ROUTE", "'orders' on rabbit@two");
                        });

                status = 503;
                assertThat(outcome(publisher)).isInstanceOfSatisfying(Outcome.Returned.class, returned -> {
                    assertThat(returned.detail()).contains("does not say whether a queue is down");
                    assertThat(returned.mayBeDown()).isTrue();
                });
            } finally {
                publisher.close();
                broker.close();
            }
        }
    }

    private static Outcome outcome(RabbitPublisher publisher) throws InterruptedException {
        publisher.publish(Events.maker().of("Order", "1"));
        publisher.flush();
        List<Publisher.Answer> answers = new ArrayList<>();
        await().atMost(PublisherHarness.PATIENCE).until(() -> answers.addAll(publisher.answers(Duration.ofMillis(10))));
        assertThat(publisher.outstanding()).isZero();
        return answers.get(0).outcome();
    }

    private void awaitPermission() {
        try {
            held.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private Answer said() {
        return management("", "/").ask().join();
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
                "{aggregate_type}.{event}",
                Topology.DECLARE,
                false,
                Duration.ofSeconds(5),
                Duration.ofSeconds(5),
                null,
                null,
                false);
    }
}
