package io.outboxrelay.client;

import static io.outboxrelay.client.ConsumerHarness.await;
import static org.assertj.core.api.Assertions.assertThat;

import com.rabbitmq.client.Channel;
import com.rabbitmq.client.Connection;
import io.outboxrelay.client.IdempotentConsumer.State;
import io.outboxrelay.client.OrderedEffects.Verdict;
import io.outboxrelay.testservers.Servers;
import io.outboxrelay.testservers.TestDatabase;
import io.outboxrelay.testservers.TestVirtualHost;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** People change the number of partitions while events are written, step by step as docs/consumers.md says. */
@Tag("server")
class PartitionNumberTest {

    private static final int AGGREGATES = 40;

    /** Enough to have arrived in every partition and to be in work. */
    private static final int SOME = 5 * AGGREGATES;

    private static final ConsumerQueue QUEUE =
            ConsumerQueue.named("billing.orders").boundTo("events", "order.*");

    /** A relay has it while it publishes; who has it has paused the relay. */
    private final Semaphore publishing = new Semaphore(1, true);

    private final List<Instance> instances = new ArrayList<>();
    private final AtomicInteger published = new AtomicInteger();
    private final Thread writer = new Thread(this::publish, "writer");
    private ConsumerQueue queue;
    private TestVirtualHost broker;
    private RelaysEnd relay;
    private TestDatabase database;
    private OrderedEffects effects;

    @BeforeEach
    void open() throws Exception {
        broker = Servers.rabbitmq().newVirtualHost();
        relay = new RelaysEnd(broker);
        database = Servers.postgres().newDatabase();
        new ClientDatabase(database).pool.close();
        effects = OrderedEffects.create(database, AGGREGATES);
        start(QUEUE);
        writer.start();
    }

    @AfterEach
    void close() throws Exception {
        relay.close();
        writer.interrupt();
        writer.join();
        instances.forEach(Instance::close);
        broker.close();
        database.close();
    }

    // hazard 93
    @Test
    void the_number_of_partitions_changes_under_load_and_nothing_is_lost_and_the_order_is_kept() throws Exception {
        awaitSomeEffects();
        change(QUEUE.partitions(3));
        awaitSomeEffects();
        change(QUEUE.partitions(8));
        awaitSomeEffects();
        change(QUEUE.partitions(2));
        awaitSomeEffects();

        publishing.acquire();
        awaitAllEffects();
        assertThat(relay.returned()).isEmpty();
        assertThat(effects.judge(published.get())).isEqualTo(Verdict.GOOD);
    }

    /** The six steps. */
    private void change(ConsumerQueue next) throws Exception {
        publishing.acquire();

        awaitAllEffects();

        instances.forEach(Instance::close);
        instances.clear();
        try (Connection connection = broker.connectionFactory().newConnection();
                Channel channel = connection.createChannel()) {
            assertThat(channel.messageCount(queue.deadLetter())).isZero();
            for (String each : queue.queues()) {
                assertThat(channel.messageCount(each)).isZero();
            }

            if (queue.partitions() > 1) {
                channel.exchangeDelete(queue.name());
            }
            for (String each : queue.queues()) {
                if (!next.queues().contains(each)) {
                    channel.queueDelete(each);
                }
            }
        }

        start(next);

        publishing.release();
    }

    /** Starts two instances and waits until they consume what there is. */
    private void start(ConsumerQueue described) {
        queue = described;
        for (String name : List.of("a", "b")) {
            instances.add(new Instance(name, database, broker, queue, (tables, event) -> tables.add(event, name)));
        }
        await().until(() -> instances.stream().allMatch(each -> each.consumer().state() == State.CONSUMING));
        if (queue.partitions() > 1) {
            await().until(() -> shares().stream().noneMatch(List::isEmpty)
                    && shares().stream().mapToInt(List::size).sum() == queue.partitions());
        }
    }

    private List<List<String>> shares() {
        return instances.stream().map(each -> each.consumer().ownPartitions()).toList();
    }

    /** Publishes an event of each aggregate again and again. */
    private void publish() {
        try {
            for (int number = 1; ; number++) {
                publishing.acquire();
                relay.publish(NumberedEvent.ofAggregates(AGGREGATES, number, number));
                published.addAndGet(AGGREGATES);
                publishing.release();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void awaitAllEffects() {
        await().until(() -> effects.count() >= published.get());
    }

    private void awaitSomeEffects() {
        int before = effects.count();
        await().until(() -> effects.count() >= before + SOME);
    }
}
