package io.outboxrelay.client;

import static io.outboxrelay.client.ConsumerHarness.await;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.rabbitmq.client.BuiltinExchangeType;
import com.rabbitmq.client.Channel;
import com.rabbitmq.client.Connection;
import io.outboxrelay.client.OrderedEffects.Verdict;
import io.outboxrelay.testservers.DatabaseKind;
import io.outboxrelay.testservers.Servers;
import io.outboxrelay.testservers.TestDatabase;
import io.outboxrelay.testservers.TestVirtualHost;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.function.BiConsumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.jdbc.core.JdbcTemplate;

/**
 * A consumer that handles the history first. Its events and their end come as {@code outbox-relay subscribe} sends
 * them.
 */
@ParameterizedClass
@MethodSource("io.outboxrelay.testservers.DatabaseKind#inLongTests")
@Tag("server")
class CatchUpTest {

    @Parameter
    DatabaseKind kind;

    private static final int AGGREGATES = 10;
    private static final ConsumerQueue QUEUE = ConsumerQueue.named("billing.orders")
            .boundTo("events", "order.*")
            .boundTo("events", "order.changed")
            .catchUp();

    private final Deque<Instance> instances = new ArrayDeque<>();
    private TestVirtualHost broker;
    private TestDatabase database;
    private OrderedEffects effects;

    /** What was published before the queue was bound, and a part of what was published after that. */
    private RelaysEnd history;

    private RelaysEnd live;

    @BeforeEach
    void open() {
        broker = Servers.rabbitmq().newVirtualHost();
        live = new RelaysEnd(broker);
        history = new RelaysEnd(broker, "billing.orders.history:events");
        database = kind.newDatabase();
        new ClientDatabase(database).pool.close();
        effects = OrderedEffects.create(database, AGGREGATES);
    }

    @AfterEach
    void close() {
        live.close();
        history.close();
        instances.forEach(Instance::close);
        broker.close();
        database.close();
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 3})
    void the_history_comes_first_and_what_is_in_both_queues_takes_effect_once(int partitions) throws Exception {
        List<NumberedEvent> all = NumberedEvent.ofAggregates(AGGREGATES, 20);
        Instance instance = start("a", QUEUE.partitions(partitions));
        awaitHistoryQueues(partitions);
        live.publish(numbered(all, 11, 20));
        history.publish(numbered(all, 1, 15));
        awaitEffects(AGGREGATES * 15);
        assertThat(instance.consumer().isCatchingUp()).isTrue();

        history.endHistory("billing.orders");

        awaitEffects(AGGREGATES * 20);
        assertThat(effects.judge(AGGREGATES * 20)).isEqualTo(Verdict.GOOD);
        assertThat(history.returned()).isEmpty();
        assertThat(instance.consumer().isCatchingUp()).isFalse();
        await().until(() -> historyQueues(partitions).isEmpty());
        assertThat(jdbc().queryForList("SELECT queue FROM inbox_history WHERE consumer = 'billing'", String.class))
                .contains("billing.orders", "billing.orders.history")
                .hasSize(partitions == 1 ? 2 : partitions + 2);
    }

    @Test
    void what_is_left_of_a_history_is_not_handled_once_the_consumer_is_to_get_it_again() throws Exception {
        List<NumberedEvent> all = NumberedEvent.ofAggregates(AGGREGATES, 20);
        start("a", QUEUE);
        awaitHistoryQueues(1);
        crash();
        live.publish(numbered(all, 11, 20));
        history.publish(numbered(all, 7, 12));
        history.endHistory("billing.orders");
        jdbc().update("DELETE FROM inbox_history");

        start("b", QUEUE);
        await().until(() -> !jdbc().queryForList("SELECT 1 FROM inbox_history").isEmpty());
        awaitHistoryQueues(1);
        history.publish(numbered(all, 1, 15));
        history.endHistory("billing.orders");

        awaitEffects(AGGREGATES * 20);
        assertThat(effects.judge(AGGREGATES * 20)).isEqualTo(Verdict.GOOD);
    }

    // hazard 97
    @Test
    void a_consumer_that_begins_anew_or_has_lost_a_queue_deletes_what_a_subscription_sees_it_by() throws Exception {
        ConsumerQueue queue = QUEUE.partitions(3);
        try (Connection connection = broker.connectionFactory().newConnection();
                Channel channel = connection.createChannel()) {
            Instance first = start("a", queue);
            awaitHistoryQueues(3);
            beginSubscription(channel, "first");
            first.close();
            Instance second = start("b", queue);
            await().until(second.consumer()::isCatchingUp);
            await().until(() -> consumersOf("billing.orders.2.history") == 1);
            second.close();
            assertThat(isThere("first")).isTrue();

            jdbc().update("DELETE FROM inbox_history");
            start("c", queue);
            await().until(() -> !isThere("first"));
            awaitHistoryQueues(3);
            beginSubscription(channel, "second");

            channel.queueDelete("billing.orders.1.history");
            await().until(() -> !isThere("second"));
            awaitHistoryQueues(3);
        }
    }

    /** As {@code outbox-relay subscribe} does. */
    private static void beginSubscription(Channel channel, String exchange) throws IOException {
        channel.exchangeDeclare(exchange, BuiltinExchangeType.FANOUT, true, true, null);
        channel.exchangeBind("billing.orders.history.end", exchange, "");
    }

    private boolean isThere(String exchange) throws Exception {
        try (Connection connection = broker.connectionFactory().newConnection()) {
            connection.createChannel().exchangeDeclarePassive(exchange);
            return true;
        } catch (IOException e) {
            return false;
        }
    }

    // hazard 97
    @ParameterizedTest
    @ValueSource(ints = {1, 3})
    void crashed_five_times_it_loses_nothing_repeats_nothing_and_keeps_the_order(int partitions) throws Exception {
        ConsumerQueue queue = QUEUE.partitions(partitions);
        List<NumberedEvent> all = NumberedEvent.ofAggregates(AGGREGATES, 32);
        start("before any event has come", queue);
        awaitHistoryQueues(partitions);
        live.publish(numbered(all, 17, 27));
        crash();

        history.publish(numbered(all, 1, 12));
        start("in the history", queue);
        awaitEffects(AGGREGATES * 3);
        crash();

        start("in the history again", queue);
        awaitEffects(AGGREGATES * 12);
        start("as a standby", queue);
        history.publish(numbered(all, 13, 22));
        awaitEffects(AGGREGATES * 13);
        crash();

        history.endHistory("billing.orders");
        awaitEffects(AGGREGATES * 22 + 1);
        crash();

        start("between the history and new events", queue);
        awaitEffects(AGGREGATES * 24);
        crash();

        start("live", queue);
        live.publish(numbered(all, 28, 32));
        awaitEffects(AGGREGATES * 32);
        assertThat(effects.judge(AGGREGATES * 32)).isEqualTo(Verdict.GOOD);
    }

    @Test
    void an_instance_that_was_frozen_in_the_history_changes_nothing_when_it_wakes_up() throws Exception {
        List<NumberedEvent> all = NumberedEvent.ofAggregates(AGGREGATES, 30);
        CountDownLatch frozen = new CountDownLatch(1);
        CountDownLatch thawed = new CountDownLatch(1);
        Instance first = start("a", QUEUE, (tables, event) -> {
            NumberedEvent numbered = NumberedEvent.of(event);
            if (numbered.aggregate() == 0 && numbered.number() == 10) {
                frozen.countDown();
                awaitUninterrupted(thawed);
            }
            tables.add(event, "a");
        });
        awaitHistoryQueues(1);
        live.publish(numbered(all, 16, 30));
        history.publish(numbered(all, 1, 20));
        history.endHistory("billing.orders");
        frozen.await();

        first.cutOff();
        Instance second = start("b", QUEUE);
        // Perhaps the first has handled all aggregates of its other worker.
        await().until(() ->
                effects.byInstance().containsKey("b") || second.consumer().duplicatesDropped() > 0);
        thawed.countDown();

        awaitEffects(AGGREGATES * 30);
        assertThat(effects.judge(AGGREGATES * 30)).isEqualTo(Verdict.GOOD);
    }

    @Test
    void the_end_waits_for_every_worker() throws Exception {
        List<NumberedEvent> all = NumberedEvent.ofAggregates(AGGREGATES, 20);
        CountDownLatch mayEnd = new CountDownLatch(1);
        Instance instance = start("a", QUEUE, (tables, event) -> {
            NumberedEvent numbered = NumberedEvent.of(event);
            if (numbered.aggregate() == 0 && numbered.number() == 10) {
                awaitUninterrupted(mayEnd);
            }
            tables.add(event, "a");
        });
        awaitHistoryQueues(1);
        live.publish(numbered(all, 11, 20));
        history.publish(numbered(all, 1, 10));
        history.endHistory("billing.orders");
        await().until(() -> messages("billing.orders.history") == 0 && effects.count() >= AGGREGATES * 5);

        assertThat(instance.consumer().isCatchingUp()).isTrue();
        assertThat(messages("billing.orders")).isEqualTo(AGGREGATES * 10);
        mayEnd.countDown();

        awaitEffects(AGGREGATES * 20);
        assertThat(effects.judge(AGGREGATES * 20)).isEqualTo(Verdict.GOOD);
    }

    @Test
    void after_the_history_a_restart_is_live_at_once_whatever_the_inbox_remembers() throws Exception {
        List<NumberedEvent> all = NumberedEvent.ofAggregates(AGGREGATES, 30);
        Instance first = start("a", QUEUE);
        awaitHistoryQueues(1);
        history.publish(numbered(all, 1, 10));
        history.endHistory("billing.orders");
        await().until(() -> !jdbc().queryForList("SELECT 1 FROM inbox_history WHERE queue = 'billing.orders'")
                .isEmpty());
        first.close();
        jdbc().update("DELETE FROM inbox");
        live.publish(numbered(all, 11, 20));

        Instance second = start("b", QUEUE);
        awaitEffects(AGGREGATES * 20);
        second.close();
        // Another number of partitions asks for no history either.
        declare(QUEUE.partitions(2));
        live.publish(numbered(all, 21, 30));
        Instance third = start("c", QUEUE.partitions(2));

        awaitEffects(AGGREGATES * 30);
        assertThat(effects.judge(AGGREGATES * 30)).isEqualTo(Verdict.GOOD);
        assertThat(third.consumer().isCatchingUp()).isFalse();
        await().until(() -> historyQueues(2).isEmpty());
    }

    @Test
    void a_history_that_was_sent_once_more_before_anybody_came_is_handled_to_its_last_end() throws Exception {
        List<NumberedEvent> all = NumberedEvent.ofAggregates(AGGREGATES, 30);
        start("before the history has come", QUEUE);
        awaitHistoryQueues(1);
        crash();
        history.publish(numbered(all, 1, 10));
        history.endHistory("billing.orders");
        history.publish(numbered(all, 1, 3));
        history.publish(numbered(all, 1, 20));
        history.endHistory("billing.orders");
        live.publish(numbered(all, 19, 30));

        start("a", QUEUE);

        awaitEffects(AGGREGATES * 30);
        assertThat(effects.judge(AGGREGATES * 30)).isEqualTo(Verdict.GOOD);
    }

    @Test
    void the_history_is_routed_like_the_exchange_that_exists() throws Exception {
        declareEvents(BuiltinExchangeType.FANOUT);
        declare(ConsumerQueue.named("billing.orders").boundTo("events", "").catchUp());
        List<NumberedEvent> events = NumberedEvent.ofAggregates(AGGREGATES, 2);

        history.publish(events);

        assertThat(history.returned()).isEmpty();
        assertThat(messages("billing.orders.history")).isEqualTo(events.size());
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 3})
    void the_documented_permissions_suffice(int partitions) throws Exception {
        declareEvents(BuiltinExchangeType.TOPIC);
        List<NumberedEvent> all = NumberedEvent.ofAggregates(AGGREGATES, 20);
        try (TestVirtualHost least = leastPermissions("")) {
            Instance instance =
                    start("a", QUEUE.partitions(partitions), least, (tables, event) -> tables.add(event, "a"));
            awaitHistoryQueues(partitions);
            live.publish(numbered(all, 11, 20));
            history.publish(numbered(all, 1, 15));
            history.endHistory("billing.orders");

            awaitEffects(AGGREGATES * 20);
            assertThat(effects.judge(AGGREGATES * 20)).isEqualTo(Verdict.GOOD);
            assertThat(history.returned()).isEmpty();
            await().until(() -> !instance.consumer().isCatchingUp());
            await().until(() -> historyQueues(partitions).isEmpty());
            instances.remove().close();
        }
    }

    @ParameterizedTest
    @CsvSource({"'', topic", "|^events$, fanout"})
    void who_may_not_configure_the_exchange_takes_it_for_a_topic_exchange(String also, String type) throws Exception {
        declareEvents(BuiltinExchangeType.FANOUT);
        try (TestVirtualHost least = leastPermissions(also);
                Connection connection = least.connectionFactory().newConnection()) {
            ConsumerQueue queue =
                    ConsumerQueue.named("billing.orders").boundTo("events", "").catchUp();
            queue.declareOn(connection, Duration.ZERO);
            queue.declareHistoryOn(connection, Duration.ZERO);
        }

        try (Connection connection = broker.connectionFactory().newConnection()) {
            connection.createChannel().exchangeDeclare("billing.orders.history:events", type, true);
        }
    }

    /** @param also what may be configured besides, as the end of a pattern */
    private TestVirtualHost leastPermissions(String also) throws IOException {
        String own = "^billing\\.orders(\\.|$)";
        String read = "^events$|^billing\\.orders(\\.|$)";
        assertThat(Files.readString(Path.of("../docs/consumers.md")))
                .contains("rabbitmqctl set_permissions -p shop billing '%s' '%s' '%s'".formatted(own, own, read));
        return broker.withPermissions(own + also, own, read);
    }

    private void declareEvents(BuiltinExchangeType type) throws Exception {
        try (Connection connection = broker.connectionFactory().newConnection()) {
            connection.createChannel().exchangeDeclare("events", type, true);
        }
    }

    @Test
    void what_the_queue_is_not_bound_to_is_no_part_of_its_history() throws Exception {
        declare(ConsumerQueue.named("billing.orders")
                .boundTo("events", "order.placed")
                .catchUp());
        List<NumberedEvent> events = NumberedEvent.ofAggregates(2, 1);

        history.publish(events);

        assertThat(history.returned())
                .containsExactlyElementsOf(
                        events.stream().map(event -> event.id().toString()).toList());
    }

    @Test
    void a_queue_that_catches_up_has_bindings_and_an_order() {
        assertThatThrownBy(QUEUE::shared)
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("The queue billing.orders cannot be shared and catch up: no instance knows when the others"
                        + " have handled the history. Leave one of the two out, or use partitions");
        assertThatThrownBy(
                        () -> start("a", ConsumerQueue.named("billing.orders").catchUp()))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("its queue catches up and has no bindings, so it would get no history");
    }

    private Instance start(String name, ConsumerQueue queue) {
        return start(name, queue, (tables, event) -> tables.add(event, name));
    }

    private Instance start(String name, ConsumerQueue queue, BiConsumer<OrderedEffects, ReceivedEvent> effect) {
        return start(name, queue, broker, effect);
    }

    private Instance start(
            String name, ConsumerQueue queue, TestVirtualHost user, BiConsumer<OrderedEffects, ReceivedEvent> effect) {
        Instance instance = new Instance(name, database, user, queue, effect);
        instances.add(instance);
        return instance;
    }

    /** The one that was started first. */
    private void crash() {
        instances.remove().crash();
    }

    private static List<NumberedEvent> numbered(List<NumberedEvent> events, int from, int to) {
        return events.stream()
                .filter(event -> event.number() >= from && event.number() <= to)
                .toList();
    }

    private static void awaitUninterrupted(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void awaitEffects(int count) {
        await().atMost(Duration.ofMinutes(2)).until(() -> effects.count() >= count);
    }

    private void awaitHistoryQueues(int partitions) {
        await().until(() -> historyQueues(partitions).size() == partitions);
    }

    private List<String> historyQueues(int partitions) throws Exception {
        List<String> found = new ArrayList<>();
        for (String queue : QUEUE.partitions(partitions).queues()) {
            try (Connection connection = broker.connectionFactory().newConnection()) {
                Channel channel = connection.createChannel();
                channel.queueDeclarePassive(ConsumerQueue.historyOf(queue));
                channel.exchangeDeclarePassive("billing.orders.history.end");
                found.add(queue);
            } catch (IOException e) {
                // there is none
            }
        }
        return found;
    }

    private void declare(ConsumerQueue queue) throws Exception {
        try (Connection connection = broker.connectionFactory().newConnection()) {
            queue.declareOn(connection, Duration.ZERO);
            queue.declareHistoryOn(connection, Duration.ZERO);
        }
    }

    private long messages(String queue) throws Exception {
        try (Connection connection = broker.connectionFactory().newConnection();
                Channel channel = connection.createChannel()) {
            return channel.messageCount(queue);
        }
    }

    private long consumersOf(String queue) throws Exception {
        try (Connection connection = broker.connectionFactory().newConnection();
                Channel channel = connection.createChannel()) {
            return channel.consumerCount(queue);
        }
    }

    private JdbcTemplate jdbc() {
        return new JdbcTemplate(database.dataSource());
    }
}
