package io.outboxrelay.relay.source;

import static io.outboxrelay.relay.source.SourceHarness.PATIENCE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.rabbitmq.client.Channel;
import com.rabbitmq.client.Connection;
import com.rabbitmq.client.DeliverCallback;
import io.outboxrelay.relay.rabbitmq.BrokerSettings.Topology;
import io.outboxrelay.relay.testing.AmqpWire;
import io.outboxrelay.relay.testing.AmqpWire.Frame;
import io.outboxrelay.relay.testing.OutboxDatabase;
import io.outboxrelay.testservers.Servers;
import io.outboxrelay.testservers.TestVirtualHost;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * Events that make the broker close the whole connection, which all lanes share. The broker is real, and closes the
 * connection because it receives a frame of such an event without a valid end.
 */
@Tag("server")
@Tag("full")
class ConnectionKillerTest {

    private static final byte[] KILLER = "poisonous".getBytes(StandardCharsets.UTF_8);
    private static final int OTHERS = 200;

    // hazard 53
    @Test
    void events_that_close_the_connection_are_found_and_parked_alone_and_the_others_of_all_lanes_arrive()
            throws Exception {
        Set<String> received = ConcurrentHashMap.newKeySet();
        try (OutboxDatabase database = OutboxDatabase.withLanes(4);
                TestVirtualHost host = Servers.rabbitmq().newVirtualHost();
                Connection consumer = host.connectionFactory().newConnection();
                AmqpWire wire = new AmqpWire(host.host(), host.port(), ConnectionKillerTest::breakKillers, List::of)) {
            consume(consumer.createChannel(), received);
            for (int n = 0; n < OTHERS; n++) {
                database.write("order-" + n);
                if (n % 50 == 25) {
                    database.write("killer-" + n, KILLER);
                }
            }
            try (SourceHarness relay = SourceHarness.start(
                    "orders",
                    database.database().jdbcUrl(),
                    database.database().user(),
                    database.database().password(),
                    "amqp://%s:%s@127.0.0.1:%d/%s".formatted(host.user(), host.password(), wire.port(), host.name()),
                    Topology.DECLARE)) {
                await().atMost(PATIENCE).until(() -> received.size() == OTHERS);
                await().atMost(PATIENCE)
                        .untilAsserted(() -> assertThat(database.column("""
                                SELECT aggregate_id || ' ' || state || ' ' || reason
                                FROM outbox_failure ORDER BY position"""))
                                .containsExactly(
                                        "killer-25 parked closes-connection",
                                        "killer-75 parked closes-connection",
                                        "killer-125 parked closes-connection",
                                        "killer-175 parked closes-connection"));
                await().atMost(PATIENCE).until(() -> database.number("SELECT count(*) FROM outbox") == 0);

                assertThat(database.column("SELECT DISTINCT detail FROM outbox_failure"))
                        .as("the broker quotes what it could not read; payloads are shown nowhere")
                        .containsExactly("the broker closed the connection: 501 FRAME_ERROR; exchange 'events',"
                                + " routing key 'order.placed'");
                assertThat(relay.log.lines("poison")).isEmpty();

                database.write("afterwards");
                await().atMost(PATIENCE).until(() -> received.contains("afterwards"));
                relay.awaitReady();
                assertThat(relay.log.complaints("the connection to the broker"))
                        .as("told at once, and then once a minute, of each connection")
                        .hasSizeLessThan(12);
            }
        }
    }

    private static List<Frame> breakKillers(Frame frame) {
        return List.of(frame.contains(KILLER) ? frame.broken() : frame);
    }

    private static void consume(Channel channel, Set<String> received) throws Exception {
        channel.exchangeDeclare("events", "topic", true);
        channel.queueDeclare("all", true, false, false, Map.of());
        channel.queueBind("all", "events", "#");
        DeliverCallback note = (tag, message) -> received.add(
                message.getProperties().getHeaders().get("aggregate_id").toString());
        channel.basicConsume("all", true, note, tag -> {});
    }
}
