package io.outboxrelay.relay.rabbitmq;

import static org.assertj.core.api.Assertions.assertThat;

import com.rabbitmq.client.AMQP;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.outboxrelay.relay.testing.AmqpWire;
import io.outboxrelay.relay.testing.AmqpWire.Frame;
import io.outboxrelay.relay.testing.LogLines;
import io.outboxrelay.testservers.Servers;
import io.outboxrelay.testservers.TestVirtualHost;
import java.nio.ByteBuffer;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** A connection that is open, and on which no channel can be opened. */
@Tag("server")
class NoChannelTest {

    private static final int CONNECTION_TUNE = 10 << 16 | 30;

    private final LogLines log = new LogLines(Broker.class.getName());
    private volatile boolean silent;
    private TestVirtualHost host;
    private AmqpWire wire;
    private PublisherHarness harness;

    @BeforeEach
    void listen() throws Exception {
        host = Servers.rabbitmq().newVirtualHost();
    }

    @AfterEach
    void disconnect() throws Exception {
        harness.close();
        wire.close();
        host.close();
        log.close();
    }

    // hazard 71
    @Test
    void a_connection_on_which_no_channel_is_answered_is_given_up_and_readiness_says_so_until_another_works()
            throws Exception {
        connect(frame -> silent && frame.channel() != 0 ? List.of() : List.of(frame));
        harness.publisher.close();
        silent = true;

        assertThat(harness.publisher.ready()).isFalse();

        assertThat(harness.publisher.trouble()).contains("no channel can be opened", "did not answer");
        silent = false;
        harness.awaitReady();
        assertThat(harness.publisher.trouble()).isNull();
        assertThat(log.complaints("lost the connection to the broker"))
                .singleElement()
                .asString()
                .contains("it did not answer when a channel was to be opened");
    }

    // hazard 71
    @Test
    void a_lane_for_which_the_broker_allows_no_channel_says_so_in_readiness_and_once_a_minute_in_the_log()
            throws Exception {
        connect(frame -> List.of(withOneChannel(frame)));
        RabbitPublisher another = new RabbitPublisher(
                "orders", harness.broker, harness.settings, new PublishMetrics("orders", new SimpleMeterRegistry()));

        for (int n = 0; n < 3; n++) {
            assertThat(another.ready()).isFalse();
        }

        assertThat(another.trouble()).contains("no channel can be opened", "no more than 1 channels");
        assertThat(harness.publisher.trouble()).isNull();
        assertThat(log.complaints("no channel can be opened")).hasSize(1);
        harness.publisher.close();
        assertThat(another.ready()).isTrue();
        assertThat(another.trouble()).isNull();
    }

    private void connect(AmqpWire.Change answered) throws Exception {
        wire = new AmqpWire(host.host(), host.port(), List::of, answered);
        harness = new PublisherHarness(host, wire.port());
    }

    private static Frame withOneChannel(Frame frame) {
        ByteBuffer payload = ByteBuffer.wrap(frame.payload());
        if (frame.type() == AMQP.FRAME_METHOD && payload.getInt(0) == CONNECTION_TUNE) {
            payload.putShort(4, (short) 1);
        }
        return frame;
    }
}
