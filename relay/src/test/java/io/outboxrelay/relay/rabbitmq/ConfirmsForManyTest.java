package io.outboxrelay.relay.rabbitmq;

import static io.outboxrelay.relay.rabbitmq.PublisherHarness.PATIENCE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.outboxrelay.relay.lane.Event;
import io.outboxrelay.relay.lane.Outcome;
import io.outboxrelay.relay.lane.Publisher.Answer;
import io.outboxrelay.relay.testing.AmqpWire;
import io.outboxrelay.relay.testing.AmqpWire.Frame;
import io.outboxrelay.relay.testing.Events;
import io.outboxrelay.testservers.Servers;
import io.outboxrelay.testservers.TestVirtualHost;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * Confirms for many messages at once, which a broker sends at will: here its own are held back and replaced by others.
 */
@Tag("server")
class ConfirmsForManyTest {

    private final AtomicLong confirmed = new AtomicLong();
    private final AtomicInteger channel = new AtomicInteger();
    private TestVirtualHost host;
    private AmqpWire wire;
    private PublisherHarness harness;

    @BeforeEach
    void connect() throws Exception {
        host = Servers.rabbitmq().newVirtualHost();
        wire = new AmqpWire(host.host(), host.port(), List::of, this::holdBack);
        harness = new PublisherHarness(host, wire.port());
        harness.queue("orders", "#", Map.of());
    }

    @AfterEach
    void disconnect() throws Exception {
        harness.close();
        wire.close();
        host.close();
    }

    // hazard 5
    @Test
    void a_confirm_for_many_settles_every_lower_tag_once_and_a_nack_its_own_set_only() throws Exception {
        Events maker = Events.maker();
        List<Event> events = IntStream.rangeClosed(1, 10).mapToObj(maker::of).toList();
        events.forEach(harness.publisher::publish);
        harness.publisher.flush();
        await().atMost(PATIENCE).until(() -> confirmed.get() == 10);

        wire.say(Frame.ack(channel.get(), 3, false));
        wire.say(Frame.ack(channel.get(), 6, true));
        wire.say(Frame.nack(channel.get(), 8, true));
        wire.say(Frame.ack(channel.get(), 10, false));

        List<Answer> answers = harness.answers(9);
        assertThat(orders(answers, Outcome.Confirmed.class))
                .containsExactlyInAnyOrder("1", "2", "3", "4", "5", "6", "10");
        assertThat(orders(answers, Outcome.Nacked.class)).containsExactly("7", "8");
        assertThat(harness.publisher.outstanding()).isEqualTo(1);

        wire.say(Frame.ack(channel.get(), 10, true)); // all but the ninth were answered before
        assertThat(orders(harness.answers(1), Outcome.Confirmed.class)).containsExactly("9");
        assertThat(harness.publisher.outstanding()).isZero();
        assertThat(harness.publisher.kept()).isZero();
    }

    private List<Frame> holdBack(Frame frame) {
        if (!frame.isAck()) {
            return List.of(frame);
        }
        channel.set(frame.channel());
        confirmed.accumulateAndGet(frame.tag(), Math::max);
        return List.of();
    }

    private static List<String> orders(List<Answer> answers, Class<? extends Outcome> outcome) {
        return answers.stream()
                .filter(answer -> outcome.isInstance(answer.outcome()))
                .map(answer -> answer.event().aggregate().id())
                .toList();
    }
}
