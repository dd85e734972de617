package io.outboxrelay.client;

import static io.outboxrelay.client.ConsumerHarness.await;
import static org.assertj.core.api.Assertions.assertThat;

import com.rabbitmq.client.Channel;
import com.rabbitmq.client.Connection;
import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import io.outboxrelay.client.IdempotentConsumer.State;
import io.outboxrelay.testservers.DatabaseKind;
import io.outboxrelay.testservers.PrivateRabbitMq;
import io.outboxrelay.testservers.PrivateServer;
import io.outboxrelay.testservers.Servers;
import io.outboxrelay.testservers.TestVirtualHost;
import java.time.Duration;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.springframework.jdbc.support.JdbcTransactionManager;

@Tag("server")
class ConsumerOutagesTest {

    private static final Duration LONG = Duration.ofMinutes(3);

    private final AtomicInteger handled = new AtomicInteger();

    @ParameterizedTest
    @MethodSource("io.outboxrelay.testservers.DatabaseKind#inLongTests")
    void given_the_database_is_away_for_a_moment_then_the_delivery_waits_in_hand_and_spends_no_attempt(
            DatabaseKind kind) throws Exception { // hazard 40
        try (PrivateServer<?> server = kind.startPrivate();
                ClientDatabase database = new ClientDatabase(server.newDatabase());
                TestVirtualHost broker = Servers.rabbitmq().newVirtualHost();
                ConsumerHarness harness = new ConsumerHarness(broker, database.inbox())) {
            database.createEffects();
            IdempotentConsumer consumer = harness.start(
                    harness.consumer(e -> effect(database, e)).attempts(1).patience(LONG));
            UUID first = UUID.randomUUID();
            await().until(() -> consumer.state() == State.CONSUMING);
            harness.publish(first);
            await().until(() -> database.count("effect") == 1);

            server.kill();
            UUID second = UUID.randomUUID();
            harness.publish(second);
            // In the consumer's hand: neither acknowledged nor ready.
            await().untilAsserted(() -> assertThat(harness.ready()).isZero());
            server.start();

            await().atMost(LONG).ignoreExceptions().until(() -> database.count("effect") == 2);
            assertThat(consumer.deadLettered()).isZero();
            assertThat(harness.deadLetters()).isEmpty();
        }
    }

    @ParameterizedTest
    @MethodSource("io.outboxrelay.testservers.DatabaseKind#inLongTests")
    void given_the_database_stays_away_then_all_deliveries_go_back_until_it_answers(DatabaseKind kind)
            throws Exception { // hazard 40
        try (PrivateServer<?> server = kind.startPrivate();
                ClientDatabase database = new ClientDatabase(server.newDatabase());
                TestVirtualHost broker = Servers.rabbitmq().newVirtualHost();
                ConsumerHarness harness = new ConsumerHarness(broker, database.inbox())) {
            database.createEffects();
            IdempotentConsumer consumer = harness.start(
                    harness.consumer(e -> effect(database, e)).attempts(1).patience(Duration.ofMillis(100)));
            await().until(() -> consumer.state() == State.CONSUMING);
            server.kill();
            UUID[] events = Stream.generate(UUID::randomUUID).limit(5).toArray(UUID[]::new);
            harness.publish(events);

            await().atMost(LONG).until(() -> consumer.state() == State.WAITING_FOR_DATABASE);
            await().untilAsserted(() -> assertThat(harness.ready()).isEqualTo(5));
            server.start();

            await().atMost(LONG).ignoreExceptions().until(() -> database.count("effect") == 5);
            assertThat(consumer.deadLettered()).isZero();
            assertThat(harness.deadLetters()).isEmpty();
        }
    }

    @Test
    void given_the_broker_is_killed_while_events_are_handled_then_every_effect_happens_once() throws Exception {
        try (PrivateRabbitMq server = Servers.startPrivateRabbitMq();
                TestVirtualHost broker = server.newVirtualHost();
                ClientDatabase database = new ClientDatabase(Servers.postgres().newDatabase());
                ConsumerHarness harness = new ConsumerHarness(broker, database.inbox())) {
            database.createEffects();
            harness.declare();
            harness.publish(Stream.generate(UUID::randomUUID).limit(300).toArray(UUID[]::new));
            // RabbitMQ 3.10 loses a quorum queue that was declared just before a SIGKILL; one that it was stopped with
            // stays.
            server.stop();
            server.start();
            // Deliveries are in hand, and some are handled but not yet acknowledged.
            harness.start(harness.consumer(e -> effect(database, e)).prefetch(300));
            await().until(() -> handled.get() >= 20);

            saveNamesOfQueues(server);
            server.kill();
            server.start();

            await().atMost(LONG).until(() -> database.count("effect") >= 300);
            harness.publish(UUID.randomUUID());
            await().atMost(LONG).until(() -> database.count("effect") > 300);
            assertThat(database.count("effect")).isEqualTo(301);
            assertThat(database.jdbc.queryForObject("SELECT count(DISTINCT event_id) FROM effect", Integer.class))
                    .isEqualTo(301);
        }
    }

    @Test
    void given_the_broker_is_not_there_yet_then_a_consumer_starts_and_waits_for_it() throws Exception {
        try (PrivateRabbitMq server = Servers.startPrivateRabbitMq();
                TestVirtualHost broker = server.newVirtualHost();
                ClientDatabase database = new ClientDatabase(Servers.postgres().newDatabase());
                ConsumerHarness harness = new ConsumerHarness(broker, database.inbox())) {
            database.createEffects();
            server.stop();
            IdempotentConsumer consumer = harness.start(harness.consumer(e -> effect(database, e)));
            assertThat(consumer.state()).isEqualTo(State.CONNECTING);

            server.start();

            await().atMost(LONG).until(() -> consumer.state() == State.CONSUMING);
            harness.publish(UUID.randomUUID());
            await().atMost(LONG).until(() -> database.count("effect") == 1);
        }
    }

    /** The pool gives nobody a connection for longer than the test lasts, as when handlers hold all of them. */
    @Test
    void given_the_pool_is_exhausted_then_a_consumer_of_partitions_reconnects_to_the_broker_all_the_same()
            throws Exception {
        ConsumerQueue queue = ConsumerQueue.named("billing.orders").partitions(2);
        try (TestVirtualHost broker = Servers.rabbitmq().newVirtualHost();
                ClientDatabase database = new ClientDatabase(Servers.postgres().newDatabase());
                HikariDataSource small = poolOfOne(database)) {
            Inbox inbox = new Inbox(small, new JdbcTransactionManager(small));
            try (ConsumerHarness harness = new ConsumerHarness(broker, inbox);
                    Connection connection = broker.connectionFactory().newConnection()) {
                IdempotentConsumer consumer =
                        harness.start(harness.consumer(e -> {}).queue(queue));
                await().until(() -> consumer.ownPartitions().size() == 2);
                await().ignoreExceptions().until(() -> consumers(connection) == 1);

                try (java.sql.Connection taken = small.getConnection()) {
                    assertThat(taken.isValid(1)).isTrue();
                    await().until(() -> small.getHikariPoolMXBean().getThreadsAwaitingConnection() >= 2);
                    connection.createChannel().queueDelete("billing.orders.1");

                    await().ignoreExceptions().until(() -> consumers(connection) == 1);
                }
            }
        }
    }

    private static HikariDataSource poolOfOne(ClientDatabase database) {
        HikariConfig config = new HikariConfig();
        config.setJdbcUrl(database.server.jdbcUrl());
        config.setUsername(database.server.user());
        config.setPassword(database.server.password());
        config.setMaximumPoolSize(1);
        config.setConnectionTimeout(LONG.toMillis());
        return new HikariDataSource(config);
    }

    private static long consumers(Connection connection) throws Exception {
        try (Channel channel = connection.createChannel()) {
            return channel.consumerCount("billing.orders.1");
        }
    }

    /**
     * RabbitMQ (seen with 3.10.8) saves the directory of quorum queues half a second after a change. A queue that is
     * killed with its broker before that comes back empty and without a leader, which is another story than this one.
     */
    private static void saveNamesOfQueues(PrivateRabbitMq server) {
        server.control("eval", "[dets:sync(Table) || Table <- dets:all()].");
    }

    private void effect(ClientDatabase database, ReceivedEvent event) {
        database.effect(event.id());
        handled.incrementAndGet();
    }
}
