package io.outboxrelay.client;

import static io.outboxrelay.client.ConsumerHarness.await;
import static org.assertj.core.api.Assertions.assertThat;

import com.rabbitmq.client.Channel;
import com.rabbitmq.client.Connection;
import io.outboxrelay.client.OrderedEffects.Verdict;
import io.outboxrelay.testservers.DatabaseKind;
import io.outboxrelay.testservers.Servers;
import io.outboxrelay.testservers.TestDatabase;
import io.outboxrelay.testservers.TestVirtualHost;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.MethodSource;

/** What comes back when a process ends, of a queue whose order matters. */
@ParameterizedClass
@MethodSource("io.outboxrelay.testservers.DatabaseKind#inLongTests")
@Tag("server")
class EndedProcessTest {

    private static final int AGGREGATES = 5;
    private static final ConsumerQueue QUEUE =
            ConsumerQueue.named("billing.orders").boundTo("events", "order.*");

    @Parameter
    DatabaseKind kind;

    private TestVirtualHost broker;
    private RelaysEnd relay;
    private TestDatabase database;
    private OrderedEffects effects;

    @BeforeEach
    void open() throws Exception {
        broker = Servers.rabbitmq().newVirtualHost();
        relay = new RelaysEnd(broker);
        database = kind.newDatabase();
        new ClientDatabase(database).pool.close();
        effects = OrderedEffects.create(database, AGGREGATES);
    }

    @AfterEach
    void close() {
        relay.close();
        broker.close();
        database.close();
    }

    /** What comes back to a quorum queue comes behind what has come back before. */
    @Test
    void processes_that_end_one_after_the_other_change_no_order() throws Exception {
        declare(QUEUE);
        List<NumberedEvent> events = NumberedEvent.ofAggregates(AGGREGATES, 30);
        relay.publish(events);

        for (int ends = 1; ends <= 5; ends++) {
            // Every second one ends with the first event in its hands.
            AtomicInteger left = new AtomicInteger(ends % 2 == 0 ? 0 : 7);
            AtomicReference<Instance> mortal = new AtomicReference<>();
            Instance instance = new Instance("mortal", database, broker, QUEUE, (tables, event) -> {
                if (left.getAndDecrement() == 0) {
                    await().until(() -> mortal.get() != null);
                    mortal.get().crash();
                }
                tables.add(event, "mortal");
            });
            mortal.set(instance);
            await().until(() -> left.get() < 0);
            instance.close();
        }

        try (Instance last =
                new Instance("last", database, broker, QUEUE, (tables, event) -> tables.add(event, "last"))) {
            await().until(() -> effects.count() >= events.size());
            assertThat(effects.judge(events.size())).isEqualTo(Verdict.GOOD);
            assertThat(last.consumer().waiting())
                    .as("suspected of ending processes")
                    .isZero();
        }
    }

    @Test
    void an_event_that_ends_its_process_each_time_is_parked_and_those_behind_it_wait_and_no_other() // hazards 87, 89
            throws Exception {
        ConsumerQueue strict = QUEUE.withDeliveryLimit(2);
        declare(strict);
        List<NumberedEvent> events = NumberedEvent.ofAggregates(AGGREGATES, 10);
        NumberedEvent deadly = events.get(2 * AGGREGATES);
        relay.publish(events);
        int good = events.size() - 8;

        for (int ends = 0; effects.count() < good || parked() == 0; ends++) {
            assertThat(ends).as("processes that have ended").isLessThanOrEqualTo(3);
            AtomicReference<Instance> self = new AtomicReference<>();
            AtomicInteger deaths = new AtomicInteger();
            Instance instance = new Instance(
                    "mortal",
                    database,
                    broker,
                    strict,
                    (tables, event) -> {
                        if (event.id().equals(deadly.id())) {
                            await().until(() -> self.get() != null);
                            self.get().crash();
                            deaths.incrementAndGet();
                        }
                        tables.add(event, "mortal");
                    },
                    builder -> builder.attempts(1));
            self.set(instance);
            await().ignoreExceptions().until(() -> deaths.get() > 0 || effects.count() == good && parked() == 1);
            instance.close();
        }

        assertThat(effects.judge(events.size())).isEqualTo(new Verdict(8, 0, 0));
        assertThat(effects.jdbc().queryForList("SELECT state FROM inbox_failure ORDER BY id", String.class))
                .containsExactly("parked", "waiting", "waiting", "waiting", "waiting", "waiting", "waiting", "waiting");
        assertThat(ready(strict.deadLetter())).isZero();
        assertThat(ready(strict.name())).isZero();
    }

    private int parked() {
        Integer rows = effects.jdbc()
                .queryForObject("SELECT count(*) FROM inbox_failure WHERE state = 'parked'", Integer.class);
        return rows == null ? -1 : rows;
    }

    private void declare(ConsumerQueue queue) throws Exception {
        try (Connection connection = broker.connectionFactory().newConnection()) {
            queue.declareOn(connection, Duration.ZERO);
        }
    }

    private long ready(String queue) throws Exception {
        try (Connection connection = broker.connectionFactory().newConnection();
                Channel channel = connection.createChannel()) {
            return channel.messageCount(queue);
        }
    }
}
