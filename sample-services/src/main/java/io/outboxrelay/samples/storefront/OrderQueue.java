package io.outboxrelay.samples.storefront;

import com.rabbitmq.client.BuiltinExchangeType;
import com.rabbitmq.client.Channel;
import com.rabbitmq.client.Connection;
import com.rabbitmq.client.ConnectionFactory;
import io.outboxrelay.client.ConsumerQueue;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Map;
import java.util.concurrent.TimeoutException;

/** The queue through which the storefront hears of orders. */
final class OrderQueue {

    private static final String NAME = "storefront.orders";
    private static final String EXCHANGE = "events";
    private static final String ROUTING_KEY = "order.#";

    static final ConsumerQueue QUORUM = ConsumerQueue.named(NAME).boundTo(EXCHANGE, ROUTING_KEY);

    private OrderQueue() {}

    /** Declares the queue without any argument that only RabbitMQ knows, and gives its name. */
    static String declareClassic(ConnectionFactory broker) {
        try (Connection connection = broker.newConnection("storefront setup");
                Channel channel = connection.createChannel()) {
            channel.exchangeDeclare(EXCHANGE, BuiltinExchangeType.TOPIC, true);
            channel.queueDeclare(NAME, true, false, false, Map.of());
            channel.queueBind(NAME, EXCHANGE, ROUTING_KEY);
            return NAME;
        } catch (IOException | TimeoutException e) {
            throw new UncheckedIOException(
                    "The queue %s could not be declared at %s:%d: is the broker running?"
                            .formatted(NAME, broker.getHost(), broker.getPort()),
                    e instanceof IOException io ? io : new IOException(e));
        }
    }
}
