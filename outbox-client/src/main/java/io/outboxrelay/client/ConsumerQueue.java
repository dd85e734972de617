package io.outboxrelay.client;

import com.rabbitmq.client.AMQP;
import com.rabbitmq.client.BuiltinExchangeType;
import com.rabbitmq.client.Channel;
import com.rabbitmq.client.Connection;
import com.rabbitmq.client.ShutdownSignalException;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeoutException;
import java.util.function.UnaryOperator;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;

/**
 * A queue that an {@link IdempotentConsumer} declares before it consumes: a durable quorum queue with a delivery limit,
 * bound to exchanges, with a dead-letter exchange and queue beside it, both named {@code <name>.dead-letter}.
 *
 * <p>Events of one aggregate take effect in their order. Therefore one consumer of the queue is active at a time
 * ({@code x-single-active-consumer}), and others take over when it ends; so it is when the node of the broker crashes
 * too. To use several processes at once, use {@linkplain #partitions partitions}; or, if no order is needed, a
 * {@linkplain #shared shared} queue.
 *
 * @param name by convention {@code <consumer>.<purpose>}
 * @param bindings where its events come from
 * @param deliveryLimit how often the broker hands an event out again before it takes it for poison, at least 1
 * @param ordered whether one consumer is active at a time
 * @param partitions into how many queues it is split, 1 if it is not
 * @param lanes how many lanes the sources have whose events it gets; matters only to partitions
 * @param catchesUp whether its consumer handles the history first
 */
public record ConsumerQueue(
        String name,
        List<Binding> bindings,
        int deliveryLimit,
        boolean ordered,
        int partitions,
        int lanes,
        boolean catchesUp) {

    /** The broker's own default since RabbitMQ 4.0. */
    public static final int DEFAULT_DELIVERY_LIMIT = 20;

    /** The number of lanes that the migrations make unless told otherwise. */
    public static final int DEFAULT_LANES = 8;

    /** The header in which a relay sends the number of an event's lane. */
    static final String LANE_HEADER = "outbox_lane";

    /** The header of the message that ends a history; no event has it. */
    static final String HISTORY_END_HEADER = "outbox_history_end";

    private static final String HISTORY = ".history";
    private static final String OTHER_LANES = ".other-lanes";

    /** How a broker refuses to declare an exchange that has another type. */
    private static final Pattern OTHER_TYPE = Pattern.compile("inequivalent arg 'type'.* current is '([^']+)'");

    /** The timeout of a broker that is not configured otherwise: https://www.rabbitmq.com/docs/consumers */
    private static final Duration BROKERS_CONSUMER_TIMEOUT = Duration.ofMinutes(30);

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
     * @throws IllegalArgumentException if the name is empty, a number is out of range, or a shared queue has several
     *     partitions or catches up
     */
    public ConsumerQueue {
        if (name.isEmpty()) {
            throw new IllegalArgumentException("The name of a queue is empty");
        }
        if (deliveryLimit < 1) {
            throw new IllegalArgumentException(
                    "The queue " + name + " cannot have a delivery limit of " + deliveryLimit + ": use at least 1");
        }
        if (partitions < 1 || lanes < 1 || lanes > 1024 || partitions > lanes) {
            throw new IllegalArgumentException("The queue " + name + " cannot have " + partitions + " partitions for "
                    + lanes + " lanes: use 1 to 1024 lanes, and at most one partition for each lane of the outbox");
        }
        if (partitions > 1 && !ordered) {
            throw new IllegalArgumentException("The queue " + name + " cannot be shared and have " + partitions
                    + " partitions: instances share the partitions. Leave one of the two out");
        }
        if (catchesUp && !ordered) {
            throw new IllegalArgumentException("The queue " + name
                    + " cannot be shared and catch up: no instance knows when the others have handled the history."
                    + " Leave one of the two out, or use partitions");
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
        return new ConsumerQueue(name, List.of(), DEFAULT_DELIVERY_LIMIT, true, 1, DEFAULT_LANES, false);
    }

    /**
     * The same queue without an order: all its consumers are active at once, and events of one aggregate may be in work
     * at two of them.
     *
     * @return the changed description
     */
    public ConsumerQueue shared() {
        return new ConsumerQueue(name, bindings, deliveryLimit, false, partitions, lanes, catchesUp);
    }

    /**
     * The same queue, split by aggregates for sources with {@value #DEFAULT_LANES} lanes, see {@link #partitions(int,
     * int)}.
     *
     * @param partitions 1 to {@value #DEFAULT_LANES}
     * @return the changed description
     */
    public ConsumerQueue partitions(int partitions) {
        return partitions(partitions, DEFAULT_LANES);
    }

    /**
     * The same queue, split by aggregates: instances of the consumer share the partitions evenly, and the events of an
     * aggregate stay in their order. The partitions are queues named {@code <name>.0} and so on. Events come to them
     * through a headers exchange named {@code <name>}, by the lane that the relay sends with each event. An event of
     * another lane or without one, which no relay has sent, comes to the first partition.
     *
     * @param partitions at most as many as lanes. To change the number, follow the procedure in the documentation.
     * @param lanes how many lanes the sources have, the largest number if they differ
     * @return the changed description
     */
    public ConsumerQueue partitions(int partitions, int lanes) {
        return new ConsumerQueue(name, bindings, deliveryLimit, ordered, partitions, lanes, catchesUp);
    }

    /**
     * The same queue, whose consumer handles the history first: the retained events that were published before the
     * queue was bound. The command {@code outbox-relay subscribe} sends the history, and then its end. A second queue,
     * named {@code <name>.history}, is declared for it, or one for each partition. Until everything before the end is
     * handled, new events wait in the queue. The inbox's table {@code inbox_history} then remembers that the history is
     * complete, and the queue for the history is deleted. Every event takes effect once and in the order of its
     * aggregate, whichever of the two queues it is in.
     *
     * @return the changed description
     * @throws IllegalArgumentException if the queue is {@linkplain #shared shared}
     */
    public ConsumerQueue catchUp() {
        return new ConsumerQueue(name, bindings, deliveryLimit, ordered, partitions, lanes, true);
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
        return new ConsumerQueue(name, more, deliveryLimit, ordered, partitions, lanes, catchesUp);
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
        return new ConsumerQueue(name, bindings, limit, ordered, partitions, lanes, catchesUp);
    }

    /**
     * The name of the dead-letter exchange and of the queue behind it.
     *
     * @return the queue's name with {@code .dead-letter}
     */
    public String deadLetter() {
        return name + ".dead-letter";
    }

    /** The queues that are consumed: the partitions, or the one queue. */
    List<String> queues() {
        return partitions == 1
                ? List.of(name)
                : IntStream.range(0, partitions).mapToObj(this::partition).toList();
    }

    private String partition(int number) {
        return name + "." + number;
    }

    /** The queue with the history of one of the queues that are consumed. */
    static String historyOf(String queue) {
        return queue + HISTORY;
    }

    /** Whether this is one of the queues with the history. */
    boolean isHistory(String queue) {
        return catchesUp && queues().stream().anyMatch(each -> historyOf(each).equals(queue));
    }

    private List<String> exchanges() {
        return bindings.stream().map(Binding::exchange).distinct().toList();
    }

    /** Where retained events of an exchange are published, so that the broker routes them as it did the first time. */
    private String historyEntry(String exchange) {
        return name + HISTORY + ":" + exchange;
    }

    /** What is published there ends the history of all queues. */
    private String historyEnd() {
        return name + HISTORY + ".end";
    }

    /**
     * Declares everything but the history; what is there already in the same shape stays as it is.
     *
     * @param longestInHand how long a consumer may keep an event without handling it
     */
    void declareOn(Connection connection, Duration longestInHand) throws IOException, TimeoutException {
        for (String exchange : exchanges()) {
            declareExchange(connection, exchange);
        }
        try (Channel channel = connection.createChannel()) {
            channel.exchangeDeclare(deadLetter(), BuiltinExchangeType.FANOUT, true);
            channel.queueDeclare(deadLetter(), true, false, false, Map.of("x-queue-type", "quorum"));
            channel.queueBind(deadLetter(), deadLetter(), "");
            declare(channel, "", exchange -> exchange, longestInHand);
        }
    }

    /**
     * Declares what the history needs. The exchange for its end comes last: who finds that finds everything. Called
     * after {@link #declareOn}, so that no event is published between the history and the queue.
     *
     * <p>If one of the queues is missing, what was sent to it is lost. Then the exchange for the end is another one
     * too, so that the command knows that.
     */
    void declareHistoryOn(Connection connection, Duration longestInHand) throws IOException, TimeoutException {
        for (String queue : queues()) {
            if (isMissing(connection, channel -> channel.queueDeclarePassive(historyOf(queue)))) {
                try (Channel channel = connection.createChannel()) {
                    channel.exchangeDelete(historyEnd());
                }
            }
        }
        for (String exchange : exchanges()) {
            String type = typeOf(connection, exchange);
            try (Channel channel = connection.createChannel()) {
                channel.exchangeDeclare(historyEntry(exchange), type, true);
            }
        }
        try (Channel channel = connection.createChannel()) {
            declare(channel, HISTORY, this::historyEntry, longestInHand);
            channel.exchangeDeclare(historyEnd(), BuiltinExchangeType.FANOUT, true);
            for (String queue : queues()) {
                channel.queueBind(historyOf(queue), historyEnd(), "");
            }
        }
    }

    /** Deletes what the history needed, with anything that is left in it. */
    void deleteHistoryOn(Connection connection) throws IOException, TimeoutException {
        try (Channel channel = connection.createChannel()) {
            channel.exchangeDelete(historyEnd());
            for (String exchange : exchanges()) {
                channel.exchangeDelete(historyEntry(exchange));
            }
            if (partitions > 1) {
                channel.exchangeDelete(name + HISTORY);
                channel.exchangeDelete(name + HISTORY + OTHER_LANES);
            }
            for (String queue : queues()) {
                channel.queueDelete(historyOf(queue));
            }
        }
    }

    /** The bindings to the source's exchanges come last, so that no event arrives where nothing leads on yet. */
    private void declare(Channel channel, String suffix, UnaryOperator<String> entry, Duration longestInHand)
            throws IOException {
        for (String queue : queues()) {
            channel.queueDeclare(queue + suffix, true, false, false, arguments(longestInHand));
        }
        if (partitions > 1) {
            declareLanes(channel, suffix);
        }
        for (Binding binding : bindings) {
            String exchange = entry.apply(binding.exchange());
            if (partitions > 1) {
                channel.exchangeBind(name + suffix, exchange, binding.routingKey());
            } else {
                channel.queueBind(name + suffix, exchange, binding.routingKey());
            }
        }
    }

    private void declareLanes(Channel channel, String suffix) throws IOException {
        String others = name + suffix + OTHER_LANES;
        channel.exchangeDeclare(others, BuiltinExchangeType.FANOUT, true);
        channel.queueBind(partition(0) + suffix, others, "");
        channel.exchangeDeclare(
                name + suffix, BuiltinExchangeType.HEADERS, true, false, Map.of("alternate-exchange", others));
        for (int lane = 0; lane < lanes; lane++) {
            channel.queueBind(
                    partition(lane % partitions) + suffix,
                    name + suffix,
                    "",
                    Map.of("x-match", "all", LANE_HEADER, lane));
        }
    }

    private Map<String, Object> arguments(Duration longestInHand) {
        Map<String, Object> arguments = new HashMap<>(Map.of(
                "x-queue-type", "quorum",
                "x-delivery-limit", deliveryLimit,
                "x-dead-letter-exchange", deadLetter(),
                // A dead letter leaves its queue only when the dead-letter queue has confirmed it; this needs the
                // overflow.
                "x-dead-letter-strategy", "at-least-once",
                "x-overflow", "reject-publish"));
        if (ordered) {
            arguments.put("x-single-active-consumer", true);
        }
        // A queue with another timeout cannot be declared again. So there is none unless it is needed, in whole hours.
        if (longestInHand.multipliedBy(2).compareTo(BROKERS_CONSUMER_TIMEOUT) > 0) {
            arguments.put(
                    "x-consumer-timeout",
                    Duration.ofHours(longestInHand.toHours() * 2 + 2).toMillis());
        }
        return arguments;
    }

    private static void declareExchange(Connection connection, String exchange) throws IOException, TimeoutException {
        if (isMissing(connection, channel -> channel.exchangeDeclarePassive(exchange))) {
            try (Channel channel = connection.createChannel()) {
                channel.exchangeDeclare(exchange, BuiltinExchangeType.TOPIC, true);
            }
        }
    }

    /**
     * An existing exchange may be of any type, and the broker only says which when it is asked for another. Whom it
     * does not let ask gets the usual one.
     */
    private static String typeOf(Connection connection, String exchange) throws IOException, TimeoutException {
        return refusal(
                        connection,
                        Set.of(AMQP.PRECONDITION_FAILED, AMQP.ACCESS_REFUSED),
                        channel -> channel.exchangeDeclare(exchange, BuiltinExchangeType.TOPIC, true))
                .map(OTHER_TYPE::matcher)
                .filter(Matcher::find)
                .map(found -> found.group(1))
                .orElse(BuiltinExchangeType.TOPIC.getType());
    }

    private static boolean isMissing(Connection connection, ChannelCall look) throws IOException, TimeoutException {
        return refusal(connection, Set.of(AMQP.NOT_FOUND), look).isPresent();
    }

    /** Why the broker refuses a call, if it does so with this code; it then closes the channel, which is its own. */
    private static Optional<String> refusal(Connection connection, Set<Integer> codes, ChannelCall call)
            throws IOException, TimeoutException {
        Channel channel = connection.createChannel();
        try {
            call.on(channel);
            channel.close();
            return Optional.empty();
        } catch (IOException e) {
            if (e.getCause() instanceof ShutdownSignalException signal
                    && signal.getReason() instanceof AMQP.Channel.Close close
                    && codes.contains(close.getReplyCode())) {
                return Optional.of(close.getReplyText());
            }
            throw e;
        }
    }

    /** One call. */
    @FunctionalInterface
    private interface ChannelCall {

        void on(Channel channel) throws IOException;
    }
}
