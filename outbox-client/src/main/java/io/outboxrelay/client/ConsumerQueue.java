package io.outboxrelay.client;

import com.rabbitmq.client.AMQP;
import com.rabbitmq.client.BuiltinExchangeType;
import com.rabbitmq.client.Channel;
import com.rabbitmq.client.Connection;
import com.rabbitmq.client.ShutdownSignalException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeoutException;

/**
 * A queue that an {@link IdempotentConsumer} declares before it consumes: a durable quorum queue with a delivery limit,
 * bound to exchanges, with a dead-letter exchange and queue beside it, both named {@code <name>.dead-letter}.
 *
 * @param name by convention {@code <consumer>.<purpose>}
 * @param bindings where its events come from
 * @param deliveryLimit how often the broker hands an event out again before it takes it for poison, at least 1
 */
public record ConsumerQueue(String name, List<Binding> bindings, int deliveryLimit) {

    /** The broker's own default since RabbitMQ 4.0. */
    public static final int DEFAULT_DELIVERY_LIMIT = 20;

    /**
     * Where events come from.
     *
     * @param exchange its name; declared as a durable topic exchange if it does not exist
     * @param routingKey a routing key or, for a topic exchange, a pattern
     */
    public record Binding(String exchange, String routingKey) {}

    /**
     * Checks the values.
     *
     * @throws IllegalArgumentException if the name is empty or the limit below 1
     */
    public ConsumerQueue {
        if (name.isEmpty()) {
            throw new IllegalArgumentException("The name of a queue is empty");
        }
        if (deliveryLimit < 1) {
            throw new IllegalArgumentException(
                    "The queue " + name + " cannot have a delivery limit of " + deliveryLimit + ": use at least 1");
        }
        bindings = List.copyOf(bindings);
    }

    /**
     * A queue that is not bound yet, with a delivery limit of {@value #DEFAULT_DELIVERY_LIMIT}.
     *
     * @param name by convention {@code <consumer>.<purpose>}
     * @return the description
     */
    public static ConsumerQueue named(String name) {
        return new ConsumerQueue(name, List.of(), DEFAULT_DELIVERY_LIMIT);
    }

    /**
     * The same queue with one more binding.
     *
     * @param exchange declared as a durable topic exchange if it does not exist
     * @param routingKey a routing key or, for a topic exchange, a pattern
     * @return the changed description
     */
    public ConsumerQueue boundTo(String exchange, String routingKey) {
        List<Binding> more = new ArrayList<>(bindings);
        more.add(new Binding(exchange, routingKey));
        return new ConsumerQueue(name, more, deliveryLimit);
    }

    /**
     * The same queue, bound to one or more event types of one aggregate type. The bindings use the default routing keys
     * of relays, see {@link RoutingKey}. If the relays are configured with another {@code broker.routing-key}, use
     * {@link #boundTo}.
     *
     * <p>Two event types can share a key, for example {@code Placed} and {@code OrderPlaced} of an {@code Order}. Then
     * the queue receives both, so a handler must check the event's {@linkplain ReceivedEvent#type type}.
     *
     * @param exchange declared as a durable topic exchange if it does not exist
     * @param aggregateType for example {@code Order}
     * @param eventTypes for example {@code OrderPlaced}; leave them out to bind all events of the aggregate type
     * @return the changed description
     * @throws IllegalArgumentException if a type has no letter and no digit, so that it names no events
     */
    public ConsumerQueue boundToEvents(String exchange, String aggregateType, String... eventTypes) {
        requireType("aggregate type", aggregateType, "to bind by a pattern, use boundTo");
        if (eventTypes.length == 0) {
            return boundTo(exchange, RoutingKey.ofAll(aggregateType));
        }
        ConsumerQueue bound = this;
        for (String eventType : eventTypes) {
            requireType(
                    "event type",
                    eventType,
                    "to bind all events of the aggregate type " + aggregateType + ", leave the event types out");
            bound = bound.boundTo(exchange, RoutingKey.of(aggregateType, eventType));
        }
        return bound;
    }

    private static void requireType(String kind, String type, String help) {
        if (type.codePoints().noneMatch(Character::isLetterOrDigit)) {
            throw new IllegalArgumentException(
                    "The " + kind + " \"" + type + "\" has no letter and no digit, so it names no events: " + help);
        }
    }

    /**
     * The same queue with another delivery limit.
     *
     * @param limit at least 1
     * @return the changed description
     */
    public ConsumerQueue withDeliveryLimit(int limit) {
        return new ConsumerQueue(name, bindings, limit);
    }

    /**
     * The name of the dead-letter exchange and of the queue behind it.
     *
     * @return the queue's name with {@code .dead-letter}
     */
    public String deadLetter() {
        return name + ".dead-letter";
    }

    /** Declares everything; what is there already in the same shape stays as it is. */
    void declareOn(Connection connection) throws IOException, TimeoutException {
        for (Binding binding : bindings) {
            declareExchange(connection, binding.exchange());
        }
        try (Channel channel = connection.createChannel()) {
            channel.exchangeDeclare(deadLetter(), BuiltinExchangeType.FANOUT, true);
            channel.queueDeclare(deadLetter(), true, false, false, Map.of("x-queue-type", "quorum"));
            channel.queueBind(deadLetter(), deadLetter(), "");
            channel.queueDeclare(name, true, false, false, arguments());
            for (Binding binding : bindings) {
                channel.queueBind(name, binding.exchange(), binding.routingKey());
            }
        }
    }

    private Map<String, Object> arguments() {
        return Map.of(
                "x-queue-type", "quorum",
                "x-delivery-limit", deliveryLimit,
                "x-dead-letter-exchange", deadLetter(),
                // A dead letter leaves its queue only when the dead-letter queue has confirmed it; this needs the
                // overflow.
                "x-dead-letter-strategy", "at-least-once",
                "x-overflow", "reject-publish");
    }

    private static void declareExchange(Connection connection, String exchange) throws IOException, TimeoutException {
        if (!exists(connection, exchange)) {
            try (Channel channel = connection.createChannel()) {
                channel.exchangeDeclare(exchange, BuiltinExchangeType.TOPIC, true);
            }
        }
    }

    /**
     * Asked on a channel of its own, which the broker closes if the answer is no. An existing one may be of any type.
     */
    private static boolean exists(Connection connection, String exchange) throws IOException, TimeoutException {
        Channel channel = connection.createChannel();
        try {
            channel.exchangeDeclarePassive(exchange);
            channel.close();
            return true;
        } catch (IOException e) {
            if (e.getCause() instanceof ShutdownSignalException signal
                    && signal.getReason() instanceof AMQP.Channel.Close close
                    && close.getReplyCode() == AMQP.NOT_FOUND) {
                return false;
            }
            throw e;
        }
    }
}
