package io.outboxrelay.client;

import static io.outboxrelay.client.ConsumerHarness.await;
import static org.assertj.core.api.Assertions.assertThat;

import io.outboxrelay.client.IdempotentConsumer.State;
import io.outboxrelay.testservers.Servers;
import io.outboxrelay.testservers.TestVirtualHost;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.SQLTransientConnectionException;
import java.time.Duration;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.springframework.jdbc.CannotGetJdbcConnectionException;
import org.springframework.jdbc.datasource.DelegatingDataSource;
import org.springframework.jdbc.support.JdbcTransactionManager;

/**
 * The effect of an event that no attempt can handle on the events behind it, in a quorum queue that counts deliveries.
 */
@Tag("server")
class PoisonEventTest {

    private static final int DELIVERY_LIMIT = 3;

    private final List<ReceivedEvent> received = new CopyOnWriteArrayList<>();
    private final UUID[] events = Stream.generate(UUID::randomUUID).limit(50).toArray(UUID[]::new);
    private final UUID poison = events[0];
    private ClientDatabase database;
    private SwitchedDataSource inboxSource;
    private TestVirtualHost broker;
    private ConsumerHarness harness;

    @BeforeEach
    void open() throws Exception {
        database = new ClientDatabase(Servers.postgres().newDatabase());
        database.createEffects();
        inboxSource = new SwitchedDataSource(database);
        broker = Servers.rabbitmq().newVirtualHost();
        harness = new ConsumerHarness(broker, new Inbox(inboxSource, new JdbcTransactionManager(inboxSource)));
        harness.declare(DELIVERY_LIMIT);
        harness.publish(events);
    }

    @AfterEach
    void close() {
        harness.close();
        broker.close();
        database.close();
    }

    @Test
    void an_event_whose_handler_cannot_reach_another_database_is_given_up_alone() throws Exception { // hazard 87
        IdempotentConsumer consumer = start(e -> {
            if (e.id().equals(poison)) {
                throw new CannotGetJdbcConnectionException(
                        "Failed to obtain JDBC Connection", new SQLTransientConnectionException("another database"));
            }
            database.effect(e.id());
        });
        await().until(() -> database.count("effect") == 49);

        assertThat(consumer.deadLettered()).isOne();
        await().untilAsserted(() -> assertThat(harness.deadLetters()).containsExactly(poison.toString()));
        assertThat(received.stream().map(ReceivedEvent::id).filter(poison::equals))
                .hasSize(3);
        assertEveryOtherWasDeliveredOnceAndHandledOnce();
    }

    /** As when its query kills the server, which needs longer to come back than the consumer's patience. */
    @Test
    void an_event_that_takes_the_database_away_each_time_spends_the_deliveries_of_no_other()
            throws Exception { // hazard 87
        startWithoutADatabaseForThePoison();
        await().until(() -> database.count("effect") == 49);

        await().untilAsserted(() -> assertThat(harness.deadLetters()).containsExactly(poison.toString()));
        assertThat(received.stream().map(ReceivedEvent::id).filter(id -> !id.equals(poison)))
                .containsExactly(Stream.of(events).skip(1).toArray(UUID[]::new));
    }

    /** As in a classic queue, or on RabbitMQ 4.3, where a requeued delivery does not count. */
    @Test
    void where_deliveries_are_not_counted_it_is_given_up_all_the_same() throws Exception { // hazard 87
        harness.declareClassic();
        harness.publish(events);

        IdempotentConsumer consumer = startWithoutADatabaseForThePoison();
        await().until(() -> database.count("effect") == 49);

        assertThat(consumer.deadLettered()).isOne();
        await().untilAsserted(() -> assertThat(harness.deadLetters()).containsExactly(poison.toString()));
    }

    /** Starts the database again whenever the consumer has noticed that it is down. */
    private IdempotentConsumer startWithoutADatabaseForThePoison() {
        IdempotentConsumer consumer = start(e -> {
            if (e.id().equals(poison)) {
                inboxSource.away = true;
                throw new IllegalStateException("The server closed the connection unexpectedly");
            }
            database.effect(e.id());
        });
        while (database.count("effect") == 0) {
            await().until(() -> consumer.state() == State.WAITING_FOR_DATABASE || database.count("effect") > 0);
            inboxSource.away = false;
        }
        return consumer;
    }

    private IdempotentConsumer start(EventHandler handler) {
        return harness.start(harness.consumer(e -> {
                    received.add(e);
                    handler.handle(e);
                })
                .queue(ConsumerHarness.QUEUE.name())
                .prefetch(100)
                .patience(Duration.ZERO));
    }

    private void assertEveryOtherWasDeliveredOnceAndHandledOnce() {
        assertThat(received).filteredOn(e -> !e.id().equals(poison)).hasSize(49).noneMatch(ReceivedEvent::redelivered);
        assertThat(database.inboxIds())
                .containsExactlyInAnyOrder(Stream.of(events).skip(1).toArray(UUID[]::new));
    }

    /** The inbox's database, which can be unavailable. */
    private static final class SwitchedDataSource extends DelegatingDataSource {

        private volatile boolean away;

        SwitchedDataSource(ClientDatabase database) {
            super(database.pool);
        }

        @Override
        public Connection getConnection() throws SQLException {
            if (away) {
                throw new SQLTransientConnectionException("The database is away");
            }
            return super.getConnection();
        }
    }
}
