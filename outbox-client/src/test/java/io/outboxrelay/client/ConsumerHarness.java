package io.outboxrelay.client;

import com.rabbitmq.client.AMQP;
import com.rabbitmq.client.Channel;
import com.rabbitmq.client.Connection;
import com.rabbitmq.client.ConnectionFactory;
import com.rabbitmq.client.GetResponse;
import io.outboxrelay.client.IdempotentConsumer.GiveUp;
import io.outboxrelay.testservers.TestVirtualHost;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Date;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.awaitility.core.ConditionFactory;
import org.jspecify.annotations.Nullable;

/** A queue with a consumer on a real broker, and the other end of it. */
final class ConsumerHarness implements AutoCloseable {

    static final ConsumerQueue QUEUE = ConsumerQueue.named("billing.orders").boundTo("events", "order.*");

    private static final Duration PATIENCE = Duration.ofSeconds(60);

    private final TestVirtualHost broker;
    private final Inbox inbox;
    private final List<IdempotentConsumer> consumers = new ArrayList<>();

    ConsumerHarness(TestVirtualHost broker, Inbox inbox) {
        this.broker = broker;
        this.inbox = inbox;
    }

    /** Waits longer for a state than Awaitility's default, because machines may be slow. */
    static ConditionFactory await() {
        return Awaitility.await().atMost(PATIENCE);
    }

    /** Small waits, so that tests that are about waiting end soon. */
    IdempotentConsumer.Builder consumer(EventHandler handler) {
        ConnectionFactory factory = broker.connectionFactory();
        factory.setConnectionTimeout(2_000);
        return IdempotentConsumer.builder(factory, inbox)
                .name("billing")
                .queue(QUEUE)
                .prefetch(10)
                .attempts(3)
                .onGiveUp(GiveUp.DEAD_LETTER)
                .backoff(Duration.ofMillis(5), Duration.ofMillis(20))
                .handler(handler);
    }

    IdempotentConsumer start(IdempotentConsumer.Builder builder) {
        IdempotentConsumer consumer = builder.build();
        consumers.add(consumer);
        consumer.start();
        return consumer;
    }

    /** Declares the queue without a consumer. */
    void declare() throws Exception {
        declare(ConsumerQueue.DEFAULT_DELIVERY_LIMIT);
    }

    void declare(int deliveryLimit) throws Exception {
        try (Connection connection = broker.connectionFactory().newConnection()) {
            QUEUE.withDeliveryLimit(deliveryLimit).declareOn(connection, Duration.ZERO);
        }
    }

    /** Puts an empty classic queue, which counts no deliveries, in the place of the queue. */
    void declareClassic() throws Exception {
        try (Connection connection = broker.connectionFactory().newConnection();
                Channel channel = connection.createChannel()) {
            channel.queueDelete(QUEUE.name());
            channel.queueDeclare(
                    QUEUE.name(), true, false, false, Map.of("x-dead-letter-exchange", QUEUE.deadLetter()));
            channel.queueBind(QUEUE.name(), "events", "order.*");
        }
    }

    /** Publishes events and returns when the broker has confirmed all of them. */
    void publish(UUID... ids) throws Exception {
        publish(Stream.of(ids).map(UUID::toString).toArray(String[]::new));
    }

    void publish(@Nullable String... messageIds) throws Exception {
        try (Connection connection = broker.connectionFactory().newConnection();
                Channel channel = connection.createChannel()) {
            channel.confirmSelect();
            for (String messageId : messageIds) {
                AMQP.BasicProperties properties = new AMQP.BasicProperties.Builder()
                        .messageId(messageId)
                        .type("OrderPlaced")
                        .contentType("text/plain")
                        .deliveryMode(2)
                        .timestamp(Date.from(Instant.now().minusSeconds(5)))
                        .headers(Map.of(
                                "aggregate_type", "order",
                                "aggregate_id", "4711",
                                "outbox_lane", 3,
                                "tenant", "north",
                                "x-first-death-reason", "rejected",
                                "x-delivery-count", 1))
                        .build();
                channel.basicPublish("events", "order.placed", true, properties, new byte[] {1, 2, 3});
            }
            channel.waitForConfirmsOrDie(10_000);
        }
    }

    /** Takes everything out of the dead-letter queue. */
    List<String> deadLetters() throws Exception {
        List<String> ids = new ArrayList<>();
        try (Connection connection = broker.connectionFactory().newConnection();
                Channel channel = connection.createChannel()) {
            GetResponse response = channel.basicGet(QUEUE.deadLetter(), true);
            while (response != null) {
                ids.add(String.valueOf(response.getProps().getMessageId()));
                response = channel.basicGet(QUEUE.deadLetter(), true);
            }
        }
        return ids;
    }

    /** Number of ready messages in the queue, without the unacknowledged ones. */
    long ready() throws Exception {
        try (Connection connection = broker.connectionFactory().newConnection();
                Channel channel = connection.createChannel()) {
            return channel.messageCount(QUEUE.name());
        }
    }

    @Override
    public void close() {
        consumers.forEach(IdempotentConsumer::close);
    }
}
