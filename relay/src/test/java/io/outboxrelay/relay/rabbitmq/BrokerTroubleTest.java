package io.outboxrelay.relay.rabbitmq;

import static io.outboxrelay.relay.rabbitmq.PublisherHarness.PATIENCE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.outboxrelay.relay.lane.Event;
import io.outboxrelay.relay.lane.Outcome;
import io.outboxrelay.relay.lane.Outcome.Unconfirmed;
import io.outboxrelay.relay.lane.Publisher.Answer;
import io.outboxrelay.relay.testing.Events;
import io.outboxrelay.testservers.PrivateRabbitMq;
import io.outboxrelay.testservers.Servers;
import io.outboxrelay.testservers.TestVirtualHost;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** What only a broker shows that is killed, frozen or out of memory. */
@Tag("server")
class BrokerTroubleTest {

    private static PrivateRabbitMq server;

    private TestVirtualHost host;
    private PublisherHarness harness;

    @BeforeAll
    static void start() {
        server = Servers.startPrivateRabbitMq();
    }

    @AfterAll
    static void stop() {
        server.close();
    }

    @BeforeEach
    void connect() throws Exception {
        host = server.newVirtualHost();
        harness = new PublisherHarness(host);
        harness.queue("orders", "#", Map.of());
    }

    @AfterEach
    void disconnect() {
        harness.close();
        host.close();
    }

    // hazards 3, 4
    @Test
    void events_that_are_unanswered_when_the_broker_is_killed_are_unconfirmed_and_published_to_the_next_one()
            throws Exception {
        Events maker = Events.maker();
        List<Event> events = IntStream.range(0, 500).mapToObj(maker::of).toList();
        server.freeze();
        events.forEach(harness.publisher::publish);
        harness.publisher.flush();
        server.kill();

        assertThat(harness.answers(500)).extracting(Answer::outcome).hasOnlyElementsOfType(Unconfirmed.class);
        assertThat(harness.publisher.ready()).isFalse();
        assertThat(harness.broker.trouble().orElseThrow()).contains("no connection to the broker ");

        server.start();
        harness.awaitReady();
        assertThat(harness.publish(events)).containsOnly(Outcome.CONFIRMED);
    }

    // hazard 6
    @Test
    void after_a_thousand_confirms_that_came_too_late_the_window_is_whole_and_nothing_is_answered_twice()
            throws Exception {
        Events maker = Events.maker();
        List<Event> late = IntStream.range(0, 1_000).mapToObj(maker::of).toList();
        server.freeze();
        late.forEach(harness.publisher::publish);
        harness.publisher.flush();
        assertThat(harness.publisher.answers(Duration.ZERO)).isEmpty();

        late.forEach(harness.publisher::forget);

        assertThat(harness.publisher.outstanding()).isZero();
        server.thaw();
        harness.awaitReady();
        List<Event> next = IntStream.range(0, 1_000).mapToObj(maker::of).toList();
        assertThat(harness.publish(next)).containsOnly(Outcome.CONFIRMED);
        assertThat(harness.publish(late)).containsOnly(Outcome.CONFIRMED);
        assertThat(harness.publisher.kept()).isZero();
        assertThat(harness.admin.queuePurge("orders").getMessageCount())
                .as("each once")
                .isEqualTo(2_000);
    }

    // hazard 36
    @Test
    void a_broker_that_falls_silent_is_noticed_by_missing_heartbeats() {
        server.freeze();
        await().atMost(PATIENCE).until(() -> harness.broker.trouble().isPresent());
        assertThat(harness.publisher.ready()).isFalse();
        await().atMost(PATIENCE)
                .untilAsserted(() -> assertThat(harness.broker.trouble().orElse("none"))
                        .contains("it accepted the connection and then did not answer"));

        server.thaw();
        harness.awaitReady();
        assertThat(harness.broker.trouble()).isEmpty();
    }

    /** What is published before the alarm does not block anything. */
    private void takeAllMemory() {
        server.control("set_vm_memory_high_watermark", "0");
        await().atMost(PATIENCE)
                .until(() ->
                        server.control("eval", "rabbit_alarm:get_alarms().").contains("memory"));
    }

    // hazard 7
    @Test
    void a_broker_that_blocks_publishing_is_not_ready_says_why_and_is_ready_again_by_itself() throws Exception {
        Events maker = Events.maker();
        takeAllMemory();
        harness.publisher.publish(maker.of(1)); // a connection is told that it is blocked when it publishes
        harness.publisher.flush();
        await().atMost(PATIENCE).until(() -> !harness.publisher.ready());
        assertThat(harness.broker.trouble().orElseThrow())
                .contains("blocks publishing")
                .contains("memory");

        server.control("set_vm_memory_high_watermark", "0.6");

        harness.awaitReady();
        assertThat(harness.broker.trouble()).isEmpty();
        assertThat(harness.answers(1).get(0).outcome()).isEqualTo(Outcome.CONFIRMED);
        assertThat(harness.publish(maker.of(2))).isEqualTo(Outcome.CONFIRMED);
    }

    // hazards 7, 25
    @Test
    void a_publisher_can_be_closed_while_the_broker_blocks_publishing() throws Exception {
        takeAllMemory();
        try {
            harness.publisher.publish(Events.maker().of(1));
            harness.publisher.flush();
            await().atMost(PATIENCE).until(() -> !harness.publisher.ready());

            Thread closing = new Thread(harness.publisher::close);
            closing.start();

            await().atMost(PATIENCE).until(() -> !closing.isAlive());
        } finally {
            server.control("set_vm_memory_high_watermark", "0.6");
        }
    }
}
