package io.outboxrelay.client;

import static org.assertj.core.api.Assertions.assertThat;

import com.rabbitmq.client.Channel;
import com.rabbitmq.client.Connection;
import io.outboxrelay.client.OrderedEffects.Verdict;
import io.outboxrelay.testservers.DatabaseKind;
import io.outboxrelay.testservers.JavaProcess;
import io.outboxrelay.testservers.PrivateRabbitMq;
import io.outboxrelay.testservers.PrivateServer;
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

/**
 * Processes of a consumer that share a partitioned queue, their database server, and a relay's end. Several stories may
 * use one broker at once; one thread tells each.
 */
final class ConsumersStory implements AutoCloseable {

    static final int AGGREGATES = 500;

    /** In each chapter. */
    private static final int EVENTS_OF_EACH = 4;

    /** With so many effects a chapter has begun, and most of it is still in the queues. */
    private static final int BEGUN = 200;

    private final DatabaseKind kind;
    private final PrivateRabbitMq brokerServer;
    private final Path folder;
    private final Map<String, JavaProcess> instances = new HashMap<>();
    private final ExecutorService publisher = Executors.newSingleThreadExecutor();
    private final PrivateServer<?> databaseServer;
    private final TestDatabase database;
    private final TestVirtualHost broker;
    private final RelaysEnd relay;
    private final OrderedEffects effects;
    private int published;

    /** Starts the database server, and declares the queue in a virtual host of its own. */
    ConsumersStory(DatabaseKind kind, PrivateRabbitMq brokerServer, Path folder) throws Exception {
        this.kind = kind;
        this.brokerServer = brokerServer;
        this.folder = folder;
        this.databaseServer = kind.startPrivate();
        this.database = databaseServer.newDatabase();
        synchronized (brokerServer) {
            this.broker = brokerServer.newVirtualHost();
        }
        this.relay = new RelaysEnd(broker);
        new ClientDatabase(database).pool.close();
        this.effects = OrderedEffects.create(database, AGGREGATES);
        try (Connection connection = broker.connectionFactory().newConnection()) {
            ConsumerProgram.QUEUE.declareOn(connection, Duration.ZERO);
        }
    }

    interface Fault {
        void strike() throws Exception;
    }

    /** Lets something happen while new events are published and handled, and waits for all effects. */
    void chapter(String what, Fault fault) throws Exception {
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
        await().alias(kind + ", " + what + ": all " + published + " effects")
                .ignoreExceptions()
                .until(() -> effects.count() >= published);
        assertThat(effects.judge(published)).as("%s, %s", kind, what).isEqualTo(Verdict.GOOD);
    }

    /** How many events were published. */
    int published() {
        return published;
    }

    OrderedEffects effects() {
        return effects;
    }

    List<String> returned() {
        return relay.returned();
    }

    JavaProcess instance(String name) {
        return instances.get(name);
    }

    void start(String name) throws IOException {
        instances.put(name, ConsumerProgram.start(name, database, broker, folder));
    }

    void kill(String name) {
        instances.get(name).kill();
    }

    void restartDatabase() {
        databaseServer.kill();
        databaseServer.start();
    }

    void awaitEffects(int count) {
        await().ignoreExceptions().until(() -> effects.count() >= count);
    }

    void awaitEffectsOf(String instance) {
        await().ignoreExceptions().until(() -> effects.byInstance().containsKey(instance));
    }

    /** Waits until so many instances consume, and no partition has two consumers. */
    void awaitShares(int consuming) {
        await().until(() -> {
            List<Integer> shares = shares();
            return shares.size() == consuming
                    && shares.stream().mapToInt(Integer::intValue).sum() == ConsumerProgram.PARTITIONS;
        });
    }

    /** How many partitions each instance consumes that consumes any, as the broker sees it. */
    private List<Integer> shares() {
        Map<String, Integer> byConnection = new HashMap<>();
        synchronized (brokerServer) {
            brokerServer
                    .control("list_channels", "vhost", "consumer_count", "connection", "--silent", "--no-table-headers")
                    .lines()
                    .map(line -> line.split("\t"))
                    .filter(channel -> channel[0].equals(broker.name()) && !channel[1].equals("0"))
                    .forEach(channel -> byConnection.merge(channel[2], Integer.valueOf(channel[1]), Integer::sum));
        }
        return List.copyOf(byConnection.values());
    }

    /** Waits until so many instances count as alive. */
    void awaitInstances(int alive) {
        await().ignoreExceptions().until(() -> rows("inbox_instance") == alive);
    }

    /** Waits until the broker has so many connections of instances. */
    void awaitConnections(int open) {
        await().until(() -> connections() == open);
    }

    private long connections() {
        synchronized (brokerServer) {
            return brokerServer
                    .control("list_connections", "vhost", "client_properties", "--silent")
                    .lines()
                    .filter(line -> line.contains(broker.name()) && line.contains("outbox consumer billing"))
                    .count();
        }
    }

    int rows(String table) {
        Integer rows = effects.jdbc().queryForObject("SELECT count(*) FROM " + table, Integer.class);
        return rows == null ? -1 : rows;
    }

    long deadLetters() throws Exception {
        try (Connection connection = broker.connectionFactory().newConnection();
                Channel channel = connection.createChannel()) {
            return channel.messageCount(ConsumerProgram.QUEUE.deadLetter());
        }
    }

    private static ConditionFactory await() {
        return Awaitility.await().atMost(Duration.ofMinutes(2));
    }

    @Override
    public void close() {
        relay.close();
        publisher.shutdown();
        instances.values().forEach(JavaProcess::close);
        databaseServer.close();
    }
}
