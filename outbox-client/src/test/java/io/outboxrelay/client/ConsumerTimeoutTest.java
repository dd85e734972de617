package io.outboxrelay.client;

import static io.outboxrelay.client.ConsumerHarness.await;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.abort;

import io.outboxrelay.client.IdempotentConsumer.State;
import io.outboxrelay.client.OrderedEffects.Verdict;
import io.outboxrelay.testservers.PrivateRabbitMq;
import io.outboxrelay.testservers.Servers;
import io.outboxrelay.testservers.TestDatabase;
import io.outboxrelay.testservers.TestVirtualHost;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** A handler is still at work when the broker has lost its patience, which this test shortens to a second. */
@Tag("full")
class ConsumerTimeoutTest {

    private static final ConsumerQueue QUEUE =
            ConsumerQueue.named("billing.orders").boundTo("events", "order.*");
    private static final int EVENTS = 10;

    /** The channel looks at its deliveries at every tick, which is a minute apart by default. */
    private static final String IMPATIENT =
            "application:set_env(rabbit, consumer_timeout, 1000), application:set_env(rabbit, channel_tick_interval,"
                    + " 500).";

    @Test
    void where_the_broker_closes_the_channel_each_effect_happens_once_and_the_consumer_continues()
            throws Exception { // hazard 90
        try (PrivateRabbitMq server = Servers.startPrivateRabbitMq()) {
            server.control("eval", IMPATIENT);
            assertThat(outlastTheTimeout(server)).contains("PRECONDITION_FAILED");
        }
    }

    @Test
    void where_the_broker_cancels_the_consumer_each_effect_happens_once_and_the_consumer_continues()
            throws Exception { // hazard 90
        try (PrivateRabbitMq server = startNewer()) {
            assertThat(outlastTheTimeout(server)).contains("the broker cancelled the consumer");
        }
    }

    /** RabbitMQ does that since 4.3. */
    private static PrivateRabbitMq startNewer() {
        try {
            return Servers.startPrivateRabbitMq("4.3", "consumer_timeout = 1000");
        } catch (IllegalStateException e) {
            return abort("no RabbitMQ 4.3: " + e.getMessage());
        }
    }

    /**
     * Lets the first of some events of one aggregate be handled until the consumer has lost the queue, and connected
     * again.
     *
     * @return what the consumer has logged about the loss
     */
    private static String outlastTheTimeout(PrivateRabbitMq server) throws Exception {
        TestVirtualHost broker = server.newVirtualHost();
        RelaysEnd relay = new RelaysEnd(broker);
        CountDownLatch mayEnd = new CountDownLatch(1);
        try (TestDatabase database = Servers.postgres().newDatabase();
                LogLines log = LogLines.of(IdempotentConsumer.class)) {
            new ClientDatabase(database).pool.close();
            OrderedEffects effects = OrderedEffects.create(database, 1);
            try (Instance instance = new Instance("a", database, broker, QUEUE, (tables, event) -> {
                tables.add(event, "a");
                awaitUninterruptibly(mayEnd);
            })) {
                IdempotentConsumer consumer = instance.consumer();
                await().until(() -> consumer.state() == State.CONSUMING);
                relay.publish(NumberedEvent.ofAggregates(1, EVENTS));
                await().until(() -> log.lines().stream().anyMatch(line -> line.contains("reconnects")));
                await().until(() -> consumer.state() == State.CONSUMING);
                mayEnd.countDown();

                await().until(() -> effects.count() == EVENTS && consumer.duplicatesDropped() > 0);
                relay.publish(NumberedEvent.ofAggregates(1, EVENTS + 1, 2 * EVENTS));
                await().until(() -> effects.count() >= 2 * EVENTS);
                assertThat(effects.judge(2 * EVENTS)).isEqualTo(Verdict.GOOD);
                assertThat(consumer.deadLettered()).isZero();
            } finally {
                mayEnd.countDown();
                relay.close();
            }
            return String.join("\n", log.lines());
        }
    }

    private static void awaitUninterruptibly(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
