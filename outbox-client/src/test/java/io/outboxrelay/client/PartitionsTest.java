package io.outboxrelay.client;

import static io.outboxrelay.client.ConsumerHarness.await;
import static org.assertj.core.api.Assertions.assertThat;

import com.rabbitmq.client.Channel;
import com.rabbitmq.client.Connection;
import com.rabbitmq.client.DeliverCallback;
import io.outboxrelay.client.OrderedEffects.Verdict;
import io.outboxrelay.testservers.DatabaseKind;
import io.outboxrelay.testservers.Servers;
import io.outboxrelay.testservers.TestDatabase;
import io.outboxrelay.testservers.TestVirtualHost;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.MethodSource;

@ParameterizedClass
@MethodSource("io.outboxrelay.testservers.DatabaseKind#inLongTests")
@Tag("server")
class PartitionsTest {

    @Parameter
    DatabaseKind kind;

    private static final int LANES = ConsumerQueue.DEFAULT_LANES;
    private static final int AGGREGATES = 40;
    private static final ConsumerQueue QUEUE =
            ConsumerQueue.named("billing.orders").boundTo("events", "order.*");

    private final Deque<Instance> instances = new ArrayDeque<>();

    /** Which instance has handled an event last, by its aggregate. */
    private final Map<Integer, String> lastHandler = new ConcurrentHashMap<>();

    private TestVirtualHost broker;
    private RelaysEnd relay;
    private TestDatabase database;
    private OrderedEffects effects;

    @BeforeEach
    void open() {
        broker = Servers.rabbitmq().newVirtualHost();
        relay = new RelaysEnd(broker);
    }

    @AfterEach
    void close() {
        relay.close();
        instances.forEach(Instance::close);
        broker.close();
        if (database != null) {
            database.close();
        }
    }

    @Test
    void every_event_comes_to_the_partition_of_its_lane() throws Exception {
        declare(QUEUE.partitions(3));
        List<NumberedEvent> events = NumberedEvent.ofAggregates(2 * LANES, 1);

        relay.publish(events);

        assertThat(relay.returned()).isEmpty();
        for (int partition = 0; partition < 3; partition++) {
            int number = partition;
            List<String> its = events.stream()
                    .filter(event -> event.lane() % 3 == number)
                    .map(event -> event.id().toString())
                    .toList();
            assertThat(ready("billing.orders." + partition)).isEqualTo(its.size());
            assertThat(content("billing.orders." + partition, its.size())).isEqualTo(its);
        }
    }

    @Test
    void an_event_of_an_unknown_lane_or_without_one_comes_to_the_first_partition_and_is_never_unroutable()
            throws Exception {
        declare(QUEUE.partitions(2, 2));
        List<Map<String, Object>> strange = List.of(
                Map.of(),
                Map.of(ConsumerQueue.LANE_HEADER, 2),
                Map.of(ConsumerQueue.LANE_HEADER, -1),
                Map.of(ConsumerQueue.LANE_HEADER, "1"));
        List<NumberedEvent> events = NumberedEvent.ofAggregates(strange.size(), 1);

        for (NumberedEvent event : events) {
            relay.publish(event, strange.get(event.aggregate()));
        }

        assertThat(relay.returned()).isEmpty();
        assertThat(ready("billing.orders.0")).isEqualTo(events.size());
        assertThat(content("billing.orders.0", events.size()))
                .isEqualTo(events.stream().map(event -> event.id().toString()).toList());
        assertThat(ready("billing.orders.1")).isZero();
    }

    @Test
    void of_two_consumers_of_a_partition_one_is_active_until_it_ends() throws Exception {
        declare(QUEUE.partitions(2));
        List<NumberedEvent> events = NumberedEvent.ofAggregates(1, 4);
        List<String> first = new ArrayList<>();
        List<String> second = new ArrayList<>();
        Connection one = broker.connectionFactory().newConnection();
        try (Connection other = broker.connectionFactory().newConnection()) {
            one.createChannel().basicConsume("billing.orders.0", false, deliveriesTo(first), tag -> {});
            other.createChannel().basicConsume("billing.orders.0", false, deliveriesTo(second), tag -> {});
            relay.publish(events);
            await().until(() -> size(first) == 4);

            assertThat(size(second)).isZero();
            one.close();

            await().until(() -> size(second) == 4);
            assertThat(second).isEqualTo(first);
        }
    }

    @Test
    void instances_share_the_partitions_evenly_after_a_join_a_leave_and_a_crash() throws Exception {
        install();
        Instance first = start("a");
        awaitShares(Map.of("a", 8));
        Instance second = start("b");
        awaitShares(Map.of("a", 4, "b", 4));
        start("c");
        awaitShares(Map.of("a", 3, "b", 3, "c", 2));

        second.close();
        awaitShares(Map.of("a", 4, "c", 4));

        first.crash();
        awaitShares(Map.of("c", 8));
    }

    @Test
    void a_partition_that_is_to_move_and_comes_back_before_it_could_is_consumed_again() throws Exception {
        install();
        CountDownLatch working = new CountDownLatch(1);
        CountDownLatch mayEnd = new CountDownLatch(1);
        try (LogLines log = LogLines.of(IdempotentConsumer.class)) {
            instances.add(new Instance("a", database, broker, QUEUE.partitions(8), (tables, event) -> {
                working.countDown();
                awaitUninterrupted(mayEnd);
                tables.add(event, "a");
            }));
            awaitLines(log, "consumes 8 of 8 partitions", 1);
            relay.publish(List.of(new NumberedEvent(UUID.randomUUID(), 1, 1)));
            working.await();

            Instance second = start("b");
            awaitLines(log, "consumes 4 of 8 partitions: [billing.orders.0,", 1);
            second.close();
            awaitLines(log, "consumes 8 of 8 partitions", 2);
        }
        mayEnd.countDown();
        relay.publish(List.of(new NumberedEvent(UUID.randomUUID(), 1, 2)));

        awaitEffects(2);
        assertThat(effects.judge(2)).isEqualTo(Verdict.GOOD);
    }

    private static void awaitLines(LogLines log, String text, int number) {
        await().until(() ->
                log.lines().stream().filter(line -> line.contains(text)).count() >= number);
    }

    private static void awaitUninterrupted(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    @Test
    void effects_of_each_aggregate_are_in_order_and_happen_once_while_instances_come_and_go() throws Exception {
        install();
        List<NumberedEvent> events = NumberedEvent.ofAggregates(AGGREGATES, 60);
        Thread publisher = new Thread(() -> {
            try {
                relay.publish(events);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        });
        start("a");
        start("b");
        publisher.start();
        awaitEffects(200);
        start("c");
        awaitEffects(600);
        instances.remove().close();
        awaitEffects(1_000);
        instances.remove().crash();
        start("d");

        awaitEffects(events.size());
        publisher.join();
        assertThat(relay.returned()).isEmpty();
        assertThat(effects.judge(events.size())).isEqualTo(Verdict.GOOD);
        assertThat(effects.byInstance()).containsKeys("a", "b", "c", "d");
    }

    private void install() throws Exception {
        declare(QUEUE.partitions(8));
        database = kind.newDatabase();
        new ClientDatabase(database).pool.close();
        effects = OrderedEffects.create(database, AGGREGATES);
    }

    private Instance start(String name) {
        Instance instance = new Instance(name, database, broker, QUEUE.partitions(8), (tables, event) -> {
            tables.add(event, name);
            lastHandler.put(NumberedEvent.of(event).aggregate(), name);
        });
        instances.add(instance);
        return instance;
    }

    /** Waits until new events of all lanes are handled by the instances in these proportions. */
    private void awaitShares(Map<String, Integer> lanes) {
        await().pollInterval(Duration.ofMillis(200))
                .untilAsserted(() -> assertThat(shares()).isEqualTo(lanes));
    }

    private Map<String, Integer> shares() throws Exception {
        lastHandler.clear();
        relay.publish(IntStream.range(0, LANES)
                .mapToObj(lane -> new NumberedEvent(UUID.randomUUID(), lane, 1))
                .toList());
        await().until(() -> lastHandler.size() == LANES);
        Map<String, Integer> shares = new TreeMap<>();
        lastHandler.values().forEach(name -> shares.merge(name, 1, Integer::sum));
        return shares;
    }

    private void awaitEffects(int count) {
        await().atMost(Duration.ofMinutes(2)).until(() -> effects.count() >= count);
    }

    private void declare(ConsumerQueue queue) throws Exception {
        try (Connection connection = broker.connectionFactory().newConnection()) {
            queue.declareOn(connection, Duration.ZERO);
        }
    }

    /** The ids of the first messages in a queue, in its order. */
    private List<String> content(String queue, int most) throws Exception {
        List<String> ids = new ArrayList<>();
        try (Connection connection = broker.connectionFactory().newConnection();
                Channel channel = connection.createChannel()) {
            channel.basicConsume(queue, false, deliveriesTo(ids), tag -> {});
            await().until(() -> size(ids) >= most);
            return List.copyOf(ids);
        }
    }

    private long ready(String queue) throws Exception {
        try (Connection connection = broker.connectionFactory().newConnection();
                Channel channel = connection.createChannel()) {
            return channel.messageCount(queue);
        }
    }

    private static DeliverCallback deliveriesTo(List<String> ids) {
        return (tag, delivery) -> {
            synchronized (ids) {
                ids.add(delivery.getProperties().getMessageId());
            }
        };
    }

    private static int size(List<String> ids) {
        synchronized (ids) {
            return ids.size();
        }
    }
}
