package io.outboxrelay.client;

import static io.outboxrelay.client.ConsumerHarness.await;
import static org.assertj.core.api.Assertions.assertThat;

import com.rabbitmq.client.AMQP;
import com.rabbitmq.client.Channel;
import com.rabbitmq.client.Connection;
import io.outboxrelay.client.IdempotentConsumer.GiveUp;
import io.outboxrelay.client.IdempotentConsumer.State;
import io.outboxrelay.testservers.DatabaseKind;
import io.outboxrelay.testservers.Servers;
import io.outboxrelay.testservers.TestVirtualHost;
import java.sql.Timestamp;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.MethodSource;

/** What a consumer says about itself and about what it has stored, and that nothing of it is left after its close. */
@ParameterizedClass
@MethodSource("io.outboxrelay.testservers.DatabaseKind#inLongTests")
@Tag("server")
class ConsumerNumbersTest {

    @Parameter
    DatabaseKind kind;

    private ClientDatabase database;
    private TestVirtualHost broker;
    private ConsumerHarness harness;

    @BeforeEach
    void open() throws Exception {
        database = new ClientDatabase(kind.newDatabase());
        broker = Servers.rabbitmq().newVirtualHost();
        harness = new ConsumerHarness(broker, database.inbox());
        harness.declare();
    }

    @AfterEach
    void close() {
        harness.close();
        broker.close();
        database.close();
    }

    @Test
    void stored_events_are_counted_by_their_state_and_those_of_others_are_not() throws Exception {
        harness.publish(UUID.randomUUID(), UUID.randomUUID(), UUID.randomUUID());
        IdempotentConsumer consumer = harness.start(parking(event -> {
            throw new EventRejectedException("never");
        }));
        IdempotentConsumer other = harness.consumer(event -> {}).name("other").build();

        await().until(() -> consumer.parked() == 1 && consumer.waiting() == 2);

        assertThat(consumer.stored()).isEqualTo(new StoredCounts(0, 1, 2));
        assertThat(other.stored()).isEqualTo(new StoredCounts(0, 0, 0));
        assertThat(consumer.transactions()).as("with a handled event").isZero();
    }

    @Test
    void the_events_of_a_batch_are_one_transaction() throws Exception {
        CountDownLatch first = new CountDownLatch(1);
        AtomicInteger batches = new AtomicInteger();
        IdempotentConsumer consumer = harness.start(
                harness.consumer(event -> {}).prefetch(100).batch(50).batchHandler(events -> {
                    batches.incrementAndGet();
                    first.await(60, TimeUnit.SECONDS);
                }));
        UUID[] events = new UUID[100];
        for (int i = 0; i < events.length; i++) {
            events[i] = UUID.randomUUID();
        }
        harness.publish(events);
        first.countDown();

        await().until(() -> consumer.handled() == 100);

        assertThat(consumer.transactions()).isEqualTo(batches.get()).isLessThan(100);
    }

    @Test
    void a_consumer_says_which_partitions_it_consumes_until_it_ends() {
        IdempotentConsumer whole = harness.start(harness.consumer(event -> {}));
        IdempotentConsumer split = harness.start(harness.consumer(event -> {})
                .name("split")
                .concurrency(3)
                .queue(ConsumerQueue.named("split").partitions(2)));

        await().until(() -> whole.state() == State.CONSUMING && split.state() == State.CONSUMING);

        assertThat(whole.partitions()).isOne();
        assertThat(whole.ownPartitions()).isEmpty();
        assertThat(whole.concurrency()).isOne();
        assertThat(split.partitions()).isEqualTo(2);
        assertThat(split.ownPartitions()).isEqualTo(List.of("split.0", "split.1"));
        assertThat(split.concurrency()).isEqualTo(3);
        split.close();
        assertThat(split.ownPartitions()).isEmpty();
    }

    @Test
    void each_worker_and_the_thread_of_stored_events_holds_a_connection_and_one_is_left_for_heartbeats()
            throws Exception {
        CountDownLatch goOn = new CountDownLatch(1);
        IdempotentConsumer consumer = harness.start(parking(event -> goOn.await(60, TimeUnit.SECONDS))
                .queue(ConsumerQueue.named("split").partitions(2)));
        assertThat(harness.consumer(event -> {}).build().connections())
                .isEqualTo(consumer.connections())
                .isEqualTo(3);
        await().until(() -> consumer.ownPartitions().size() == 2);
        database.inbox().failures("billing").park(event("17"), "split.0", 1, false, new IllegalStateException("once"));
        database.jdbc.update("UPDATE inbox_failure SET state = 'retrying', next_attempt_at = failed_at");
        try (Connection connection = broker.connectionFactory().newConnection();
                Channel channel = connection.createChannel()) {
            AMQP.BasicProperties message = new AMQP.BasicProperties.Builder()
                    .messageId(UUID.randomUUID().toString())
                    .build();
            channel.basicPublish("", "split.0", message, new byte[0]);
        }

        await().untilAsserted(
                        () -> assertThat(database.pool.getHikariPoolMXBean().getActiveConnections())
                                .isEqualTo(2));
        Timestamp before = aliveUntil();
        await().until(() -> aliveUntil().after(before));
        goOn.countDown();
        await().until(() -> consumer.handled() == 2);
    }

    private Timestamp aliveUntil() {
        return database.jdbc.queryForObject("SELECT max(alive_until) FROM inbox_instance", Timestamp.class);
    }

    private static ReceivedEvent event(String aggregate) {
        return new ReceivedEvent(
                UUID.randomUUID(), "OrderPlaced", "order", aggregate, new byte[0], null, Map.of(), null, false);
    }

    @Test
    void close_returns_when_a_stored_event_in_work_is_done_and_begins_no_other() throws Exception {
        CountDownLatch began = new CountDownLatch(1);
        CountDownLatch goOn = new CountDownLatch(1);
        AtomicInteger handled = new AtomicInteger();
        IdempotentConsumer parked = harness.start(parking(event -> {
            throw new EventRejectedException("never");
        }));
        harness.publish(UUID.randomUUID());
        await().until(() -> parked.parked() == 1);
        parked.close();
        database.jdbc.update("UPDATE inbox_failure SET state = 'retrying', next_attempt_at = failed_at");

        IdempotentConsumer consumer = harness.start(parking(event -> {
            began.countDown();
            goOn.await(60, TimeUnit.SECONDS);
            handled.incrementAndGet();
        }));
        assertThat(began.await(60, TimeUnit.SECONDS)).isTrue();
        Thread closing = new Thread(consumer::close);
        closing.start();
        await().until(() -> consumer.state() == State.STOPPED);
        assertThat(closing.isAlive()).as("while the handler runs").isTrue();
        goOn.countDown();
        closing.join(60_000);

        assertThat(closing.isAlive()).isFalse();
        assertThat(handled).hasValue(1);
        assertThat(consumer.stored()).isEqualTo(new StoredCounts(0, 0, 0));
    }

    @Test
    void workers_that_have_nothing_else_to_do_help_with_stored_events() throws Exception {
        InboxFailures failures = database.inbox().failures("billing");
        for (int i = 0; i < 9; i++) {
            failures.park(event("" + i), "billing.orders", 1, false, new IllegalStateException("once"));
        }
        database.jdbc.update("UPDATE inbox_failure SET state = 'retrying', next_attempt_at = failed_at");
        CyclicBarrier together = new CyclicBarrier(3);

        IdempotentConsumer consumer = harness.start(parking(event -> together.await(60, TimeUnit.SECONDS))
                .concurrency(2)
                .batch(1));

        await().until(() -> consumer.handled() == 9);
    }

    private IdempotentConsumer.Builder parking(EventHandler handler) {
        return harness.consumer(handler).onGiveUp(GiveUp.PARK);
    }
}
