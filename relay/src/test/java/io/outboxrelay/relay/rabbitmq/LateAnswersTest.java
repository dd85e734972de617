package io.outboxrelay.relay.rabbitmq;

import static io.outboxrelay.relay.rabbitmq.PublisherHarness.PATIENCE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.rabbitmq.client.AMQP;
import io.outboxrelay.relay.lane.Event;
import io.outboxrelay.relay.lane.Outcome;
import io.outboxrelay.relay.lane.Outcome.Nacked;
import io.outboxrelay.relay.lane.Outcome.Reason;
import io.outboxrelay.relay.lane.Outcome.Returned;
import io.outboxrelay.relay.lane.Outcome.Unconfirmed;
import io.outboxrelay.relay.lane.Publisher.Answer;
import io.outboxrelay.relay.testing.AmqpWire;
import io.outboxrelay.relay.testing.AmqpWire.Frame;
import io.outboxrelay.relay.testing.Events;
import io.outboxrelay.relay.testing.LogLines;
import io.outboxrelay.testservers.Servers;
import io.outboxrelay.testservers.TestVirtualHost;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** A broker that answers too late: its answers are held back until a test releases them. */
@Tag("server")
class LateAnswersTest {

    /** Confirms and returned messages of the publisher's channel, as they were sent. */
    private final List<Frame> held = new CopyOnWriteArrayList<>();

    private final AtomicInteger channel = new AtomicInteger();
    private TestVirtualHost host;
    private AmqpWire wire;
    private PublisherHarness harness;

    @BeforeEach
    void connect() throws Exception {
        host = Servers.rabbitmq().newVirtualHost();
        wire = new AmqpWire(host.host(), host.port(), List::of, this::holdBack);
        harness = new PublisherHarness(host, wire.port());
        harness.queue("orders", "order.#", Map.of());
    }

    @AfterEach
    void disconnect() throws Exception {
        harness.close();
        wire.close();
        host.close();
    }

    // hazard 5
    @Test
    void a_late_return_is_matched_to_the_publish_that_it_answers_and_to_no_newer_one_of_its_aggregate()
            throws Exception {
        Events maker = Events.maker();
        Event discarded = maker.of("Invoice", "1"); // no queue is bound
        send(discarded);
        awaitAcks(1);
        int returned = held.size() - 1;
        harness.publisher.forget(discarded);
        Event newer = maker.of("Invoice", "1");
        send(newer);
        awaitAcks(2);

        for (Frame frame : held.subList(0, returned)) {
            wire.say(frame);
        }
        wire.say(Frame.ack(channel.get(), 1, false));
        wire.say(Frame.nack(channel.get(), 2, false));

        assertThat(answerTo(newer)).isInstanceOf(Nacked.class);
    }

    // hazards 6, 71
    @Test
    void an_event_without_an_answer_is_not_sent_again_on_its_channel_and_its_late_confirm_counts() throws Exception {
        Event event = Events.maker().of(1);
        send(event);
        awaitAcks(1);
        harness.publisher.forget(event);
        for (int n = 0; n < 3; n++) {
            assertThat(harness.publish(event))
                    .isInstanceOfSatisfying(
                            Unconfirmed.class,
                            unconfirmed -> assertThat(unconfirmed.detail())
                                    .contains("exchange 'events', routing key 'order.placed'"));
        }
        assertThat(harness.publisher.silence())
                .extracting(
                        RabbitPublisher.Silence::events,
                        RabbitPublisher.Silence::exchange,
                        RabbitPublisher.Silence::routingKey)
                .containsExactly(1, "events", "order.placed");

        wire.say(Frame.ack(channel.get(), 1, false));
        await().atMost(PATIENCE).until(() -> harness.publish(event), Outcome.CONFIRMED::equals);

        assertThat(harness.admin.queuePurge("orders").getMessageCount())
                .as("copies")
                .isEqualTo(1);
        assertThat(harness.publisher.silence()).isNull();
        assertThat(harness.publisher.kept()).isZero();
    }

    // hazard 6
    @Test
    void a_late_confirm_is_for_its_own_row_only_also_when_a_writer_has_used_its_id_twice() throws Exception {
        Events maker = Events.maker().id(UUID.randomUUID());
        Event late = maker.of(1);
        send(late);
        awaitAcks(1);
        harness.publisher.forget(late);
        send(maker.of(2)); // of another aggregate: sent although the first is unanswered
        awaitAcks(2);

        wire.say(Frame.ack(channel.get(), 2, true));
        harness.answers(1);
        send(maker.of(1)); // another row of the first's aggregate
        awaitAcks(3);

        assertThat(harness.admin.queuePurge("orders").getMessageCount()).isEqualTo(3);
        wire.say(Frame.ack(channel.get(), 3, false));
        harness.answers(1);
        assertThat(harness.publish(late)).as("confirmed late").isEqualTo(Outcome.CONFIRMED);
        assertThat(harness.publisher.kept()).isZero();
    }

    // hazard 5
    @Test
    void a_return_is_for_the_event_of_its_aggregate_also_when_a_writer_has_used_its_id_twice() throws Exception {
        Events maker = Events.maker().id(UUID.randomUUID());
        Event routed = maker.of(1);
        Event unroutable = maker.of("Invoice", "1"); // no queue is bound
        harness.publisher.publish(unroutable);
        send(routed);
        awaitAcks(2);

        for (Frame frame : held) {
            wire.say(frame);
        }

        List<Answer> answers = harness.answers(2);
        assertThat(answers)
                .contains(new Answer(routed, Outcome.CONFIRMED))
                .anyMatch(answer -> answer.event() == unroutable && answer.outcome() instanceof Returned);
    }

    // hazard 71
    @Test
    void an_event_without_an_answer_for_long_is_nobodys_fault_and_leaves_the_outbox() throws Exception {
        Event event = Events.maker().of(1);
        send(event);
        awaitAcks(1);
        harness.publisher.forget(event);

        pass(Duration.ofSeconds(31));

        assertThat(harness.publish(event))
                .isInstanceOfSatisfying(
                        Nacked.class, nacked -> assertThat(nacked.reason()).isEqualTo(Reason.UNANSWERED));
    }

    // hazard 71
    @Test
    void a_channel_that_owes_an_answer_for_minutes_is_replaced_and_the_event_is_sent_once_more() throws Exception {
        Event event = Events.maker().of(1);
        send(event);
        awaitAcks(1);
        harness.publisher.forget(event);
        pass(Duration.ofMinutes(4));
        assertThat(harness.publisher.ready()).isTrue();
        assertThat(harness.publish(event)).isInstanceOf(Nacked.class);

        pass(Duration.ofMinutes(2));
        harness.awaitReady();
        send(event);
        awaitAcks(2);
        wire.say(Frame.ack(channel.get(), 1, false));

        assertThat(answerTo(event)).isEqualTo(Outcome.CONFIRMED);
        assertThat(harness.admin.queuePurge("orders").getMessageCount())
                .as("copies")
                .isEqualTo(2);
    }

    // hazard 71
    @Test
    void what_a_broker_has_not_answered_is_told_in_words() throws Exception {
        try (LogLines log = new LogLines(PublishMetrics.class.getName())) {
            Event event = Events.maker().of(1);
            send(event);
            harness.publisher.forget(event);

            assertThat(log.complaints("was not published"))
                    .singleElement()
                    .asString()
                    .contains("unconfirmed: the broker has not answered for", "exchange 'events'")
                    .doesNotContain("null");
        }
    }

    private void send(Event event) {
        harness.publisher.publish(event);
        harness.publisher.flush();
    }

    private Outcome answerTo(Event event) throws InterruptedException {
        List<Answer> answers = harness.answers(1);
        assertThat(answers).extracting(Answer::event).containsExactly(event);
        return answers.get(0).outcome();
    }

    private void pass(Duration duration) {
        harness.ahead.addAndGet(duration.toNanos());
    }

    private void awaitAcks(int count) {
        await().atMost(PATIENCE).until(() -> held.stream().filter(Frame::isAck).count() == count);
    }

    private List<Frame> holdBack(Frame frame) {
        boolean publishers = frame.isAck() || frame.isReturn();
        if (publishers) {
            channel.set(frame.channel());
        }
        boolean behindReturn =
                frame.channel() == channel.get() && frame.type() != AMQP.FRAME_METHOD && frame.channel() != 0;
        if (publishers || behindReturn) {
            held.add(frame);
            return List.of();
        }
        return List.of(frame);
    }
}
