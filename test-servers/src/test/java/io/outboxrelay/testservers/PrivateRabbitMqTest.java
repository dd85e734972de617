package io.outboxrelay.testservers;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import com.rabbitmq.client.Channel;
import com.rabbitmq.client.Connection;
import com.rabbitmq.client.ConnectionFactory;
import com.rabbitmq.client.MessageProperties;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeoutException;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.AfterParameterizedClassInvocation;
import org.junit.jupiter.params.BeforeParameterizedClassInvocation;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;

/** A private RabbitMQ, on every kind of server that supports it. */
@ParameterizedClass
@EnumSource(
        value = ServerKind.class,
        names = {"CONTAINERS", "INSTALLED"})
@Tag("server")
@Tag("full")
class PrivateRabbitMqTest {
    private static final Map<String, Object> QUORUM = Map.of("x-queue-type", "quorum");

    @Parameter
    ServerKind kind;

    static @Nullable PrivateRabbitMq broker;

    @BeforeParameterizedClassInvocation
    static void start(ServerKind kind) {
        AvailableKinds.assumeRabbitMq(kind);
        broker = Servers.startPrivateRabbitMq(AvailableKinds.only(kind));
    }

    @AfterParameterizedClassInvocation
    static void close() {
        PrivateRabbitMq closed = broker;
        broker = null;
        if (closed != null) {
            closed.close();
            assertThatThrownBy(closed::newVirtualHost).isInstanceOf(IllegalStateException.class);
        }
    }

    @Test
    void reports_its_kind() {
        assertThat(broker.name())
                .matches(kind == ServerKind.CONTAINERS ? "rabbitmq-container" : "rabbitmq-[0-9]+[.][0-9.]+");
    }

    @Test
    void its_uri_leads_to_a_virtual_host_with_all_rights() throws Exception {
        try (TestVirtualHost host = broker.newVirtualHost()) {
            ConnectionFactory factory = new ConnectionFactory();
            factory.setUri(host.amqpUri());
            try (Connection connection = factory.newConnection();
                    Channel channel = connection.createChannel()) {
                channel.queueDeclare("q", true, false, false, null);
            }
            assertThat(broker.control("list_queues", "-p", host.name(), "--silent", "name"))
                    .contains("q");
        }
    }

    @Test
    void a_closed_virtual_host_is_deleted_with_the_next_change_and_the_connections_to_it_are_closed() throws Exception {
        TestVirtualHost host = broker.newVirtualHost();
        ConnectionFactory factory = host.connectionFactory();
        factory.setAutomaticRecoveryEnabled(false);
        Connection connection = factory.newConnection();

        host.close();
        List<TestVirtualHost> others =
                Stream.generate(broker::newVirtualHost).limit(20).toList();

        assertThat(broker.control("list_vhosts", "--silent"))
                .doesNotContain(host.name())
                .contains(others.stream().map(TestVirtualHost::name).toArray(String[]::new));
        await().atMost(Duration.ofSeconds(30)).until(() -> !connection.isOpen());
    }

    @Test
    void a_command_that_fails_says_why() {
        assertThatThrownBy(() -> broker.control("no_such_command"))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("no_such_command");
    }

    /*
     * The stop comes before the kill because RabbitMQ 3.10 notes a new quorum queue on disk only seconds later, or when
     * it stops: killed at once, it comes back with the queue's name and without a leader for it.
     */
    @Test
    void confirmed_messages_survive_a_stop_and_a_kill_on_the_same_port() throws Exception {
        TestVirtualHost host = broker.newVirtualHost();
        publishConfirmed(host, "classic", Map.of());
        publishConfirmed(host, "quorum", QUORUM);

        broker.stop();
        assertThatThrownBy(() -> host.connectionFactory().newConnection()).isInstanceOf(IOException.class);
        broker.start();
        publishConfirmed(host, "classic", Map.of());
        publishConfirmed(host, "quorum", QUORUM);
        broker.kill();
        assertThatThrownBy(() -> host.connectionFactory().newConnection()).isInstanceOf(IOException.class);
        broker.start();

        assertThat(takeAll(host, "classic")).isEqualTo(2);
        assertThat(takeAll(host, "quorum")).isEqualTo(2);
    }

    @Test
    void a_frozen_broker_is_silent_until_it_is_thawed() throws Exception {
        TestVirtualHost host = broker.newVirtualHost();
        ConnectionFactory factory = host.connectionFactory();
        factory.setHandshakeTimeout(1_000);

        broker.freeze();
        assertThatThrownBy(factory::newConnection).isInstanceOfAny(TimeoutException.class, IOException.class);
        broker.thaw();

        try (Connection connection = host.connectionFactory().newConnection()) {
            assertThat(connection.isOpen()).isTrue();
        }
    }

    private static void publishConfirmed(TestVirtualHost host, String queue, Map<String, Object> arguments)
            throws Exception {
        try (Connection connection = host.connectionFactory().newConnection();
                Channel channel = connection.createChannel()) {
            channel.queueDeclare(queue, true, false, false, arguments);
            channel.confirmSelect();
            channel.basicPublish("", queue, MessageProperties.MINIMAL_PERSISTENT_BASIC, new byte[] {1});
            channel.waitForConfirmsOrDie(30_000);
        }
    }

    private static int takeAll(TestVirtualHost host, String queue) throws Exception {
        try (Connection connection = host.connectionFactory().newConnection();
                Channel channel = connection.createChannel()) {
            int taken = 0;
            while (channel.basicGet(queue, true) != null) {
                taken++;
            }
            return taken;
        }
    }
}
