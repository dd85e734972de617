package io.outboxrelay.client;

import static org.assertj.core.api.Assertions.assertThat;

import com.rabbitmq.client.Channel;
import com.rabbitmq.client.Connection;
import io.outboxrelay.client.OrderedEffects.Verdict;
import io.outboxrelay.testservers.DatabaseKind;
import io.outboxrelay.testservers.JavaProcess;
import io.outboxrelay.testservers.PrivateRabbitMq;
import io.outboxrelay.testservers.PrivateServer;
import io.outboxrelay.testservers.Servers;
import io.outboxrelay.testservers.TestDatabase;
import io.outboxrelay.testservers.TestVirtualHost;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;
import org.awaitility.core.ConditionFactory;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;

/** Processes of a consumer share a partitioned queue, and everything happens to them. */
@ParameterizedClass
@EnumSource(value = DatabaseKind.class, names = "POSTGRESQL")
@Tag("full")
class ConsumersStoryTest {

    private static final int AGGREGATES = 500;

    /** In each of the ten chapters. */
    private static final int EVENTS_OF_EACH = 4;

    /** With so many effects a chapter has begun, and most of it is still in the queues. */
    private static final int BEGUN = 200;

    @Parameter
    DatabaseKind kind;

    @TempDir
    Path folder;

    private final Map<String, JavaProcess> instances = new HashMap<>();
    private final ExecutorService publisher = Executors.newSingleThreadExecutor();
    private PrivateServer<?> databaseServer;
    private PrivateRabbitMq brokerServer;
    private TestDatabase database;
    private TestVirtualHost broker;
    private RelaysEnd relay;
    private OrderedEffects effects;
    private int published;

    @BeforeEach
    void open() throws Exception {
        databaseServer = kind.startPrivate();
        brokerServer = Servers.startPrivateRabbitMq();
        database = databaseServer.newDatabase();
        broker = brokerServer.newVirtualHost();
        relay = new RelaysEnd(broker);
        new ClientDatabase(database).pool.close();
        effects = OrderedEffects.create(database, AGGREGATES);
        try (Connection connection = broker.connectionFactory().newConnection()) {
            ConsumerProgram.QUEUE.declareOn(connection, Duration.ZERO);
        }
        // What RabbitMQ has declared is still in its memory when it answers: a kill would undo it.
        brokerServer.control("eval", "mnesia:sync_log(), [dets:sync(Table) || Table <- dets:all()], ok.");
    }

    @AfterEach
    void close() throws Exception {
        relay.close();
        publisher.shutdown();
        instances.values().forEach(JavaProcess::close);
        publisher.awaitTermination(1, TimeUnit.MINUTES);
        brokerServer.close();
        databaseServer.close();
    }

    // hazard 92
    @Test
    void while_everything_is_killed_frozen_and_added_each_effect_happens_once_and_in_order() throws Exception {
        start("a");
        start("b");
        start("c");
        awaitInstances(3);

        chapter("an instance is killed", () -> {
            kill("a");
            start("d");
        });
        chapter("an instance is frozen for longer than its lease and the broker's patience", () -> {
            instances.get("b").freeze();
            awaitInstances(2);
            awaitConnections(2);
            instances.get("b").thaw();
            awaitInstances(3);
        });
        chapter("an instance is added", () -> start("e"));
        chapter("an instance is frozen for a moment, while its partitions move", () -> {
            instances.get("c").freeze();
            start("f");
            awaitInstances(4);
            instances.get("c").thaw();
            awaitInstances(5);
        });
        chapter("the broker is killed", () -> {
            brokerServer.kill();
            brokerServer.start();
        });
        chapter("the database is killed", () -> {
            databaseServer.kill();
            databaseServer.start();
        });
        chapter("two instances are killed one after the other", () -> {
            kill("d");
            awaitEffects(published - AGGREGATES);
            kill("e");
        });
        chapter("an instance is frozen, and another one is killed meanwhile", () -> {
            instances.get("f").freeze();
            awaitInstances(2);
            awaitConnections(2);
            kill("b");
            start("g");
            instances.get("f").thaw();
        });
        chapter("an instance is frozen while the broker is killed", () -> {
            instances.get("g").freeze();
            brokerServer.kill();
            brokerServer.start();
            instances.get("g").thaw();
        });
        chapter("all instances but one end in order", () -> {
            instances.get("c").terminate();
            instances.get("f").terminate();
        });

        assertThat(published).isEqualTo(20_000);
        assertThat(effects.judge(published)).isEqualTo(Verdict.GOOD);
        assertThat(effects.byInstance()).containsOnlyKeys("a", "b", "c", "d", "e", "f", "g");
        assertThat(relay.returned()).isEmpty();
        assertThat(deadLetters()).isZero();
        assertThat(rows("inbox_failure")).isZero();
    }

    private interface Fault {
        void strike() throws Exception;
    }

    /** Lets something happen while new events are published and handled, and waits for all effects. */
    private void chapter(String what, Fault fault) throws Exception {
        int first = published / AGGREGATES + 1;
        List<NumberedEvent> events = NumberedEvent.ofAggregates(AGGREGATES, first, first + EVENTS_OF_EACH - 1);
        int before = published;
        published += events.size();
        Future<?> publishing = publisher.submit(() -> {
            relay.publish(events);
            return null;
        });
        awaitEffects(before + BEGUN);
        fault.strike();
        publishing.get(2, TimeUnit.MINUTES);
        await().alias(what + ": all " + published + " effects")
                .ignoreExceptions()
                .until(() -> effects.count() >= published);
        assertThat(effects.judge(published)).as(what).isEqualTo(Verdict.GOOD);
    }

    private static ConditionFactory await() {
        return Awaitility.await().atMost(Duration.ofMinutes(2));
    }

    private void awaitEffects(int count) {
        await().ignoreExceptions().until(() -> effects.count() >= count);
    }

    /** Waits until so many instances count as alive. */
    private void awaitInstances(int alive) {
        await().ignoreExceptions().until(() -> rows("inbox_instance") == alive);
    }

    /** Waits until the broker has so many connections of instances. */
    private void awaitConnections(int open) {
        await().until(() -> brokerServer
                        .control("list_connections", "client_properties", "--silent")
                        .lines()
                        .filter(line -> line.contains("outbox consumer billing"))
                        .count()
                == open);
    }

    private void start(String name) throws IOException {
        instances.put(name, ConsumerProgram.start(name, database, broker, folder));
    }

    private void kill(String name) {
        instances.get(name).kill();
    }

    private int rows(String table) {
        Integer rows = effects.jdbc().queryForObject("SELECT count(*) FROM " + table, Integer.class);
        return rows == null ? -1 : rows;
    }

    private long deadLetters() throws Exception {
        try (Connection connection = broker.connectionFactory().newConnection();
                Channel channel = connection.createChannel()) {
            return channel.messageCount(ConsumerProgram.QUEUE.deadLetter());
        }
    }
}
