package io.outboxrelay.testservers;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.rabbitmq.client.Channel;
import com.rabbitmq.client.Connection;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("server")
class EmbeddedBrokerTest {
    @Test
    void carries_a_message_and_names_unsupported_operations() throws Exception {
        try (PrivateRabbitMq broker = Servers.startPrivateRabbitMq(List.of(ServerKind.EMBEDDED))) {
            TestVirtualHost host = broker.newVirtualHost();
            assertThat(broker.name()).isEqualTo("embedded-qpid");
            try (Connection connection = host.connectionFactory().newConnection();
                    Channel channel = connection.createChannel()) {
                channel.exchangeDeclare("events", "topic", true);
                channel.queueDeclare("q", true, false, false, null);
                channel.queueBind("q", "events", "order.#");
                channel.confirmSelect();
                channel.basicPublish("events", "order.placed", true, null, new byte[] {7});
                channel.waitForConfirmsOrDie(10_000);
                assertThat(channel.basicGet("q", true).getBody()).containsExactly(7);
            }
            assertThatThrownBy(broker::kill)
                    .isInstanceOf(UnsupportedOperationException.class)
                    .hasMessageContaining("cannot be killed");
            host.close();
            Stream.generate(broker::newVirtualHost).limit(3).toList();
            assertThatThrownBy(() -> host.connectionFactory().newConnection()).isInstanceOf(java.io.IOException.class);
        }
    }
}
