package io.outboxrelay.relay.rabbitmq;

import com.rabbitmq.client.AMQP.BasicProperties;
import com.rabbitmq.client.Channel;
import com.rabbitmq.client.Connection;
import com.rabbitmq.client.DefaultConsumer;
import com.rabbitmq.client.Delivery;
import com.rabbitmq.client.Envelope;
import com.rabbitmq.client.Return;
import com.rabbitmq.client.ShutdownSignalException;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.LongConsumer;
import org.jspecify.annotations.Nullable;

/**
 * Takes the messages of a dead-letter queue back to the queues in which they died first. One message is in hand at a
 * time: it is acknowledged only when the broker has routed and confirmed its copy. So the messages keep their order, a
 * crash loses none (the one in hand may be there twice, with the same id), and the first one that cannot be published
 * stops the rest. A queue with another reader is refused; not every kind of queue does that for an exclusive consumer.
 * Used by one thread.
 */
public final class Redrive implements AutoCloseable {

    private static final int CLOSE_TIMEOUT_MILLIS = 2_000;
    private static final Duration LONGEST_CONFIRM = Duration.ofSeconds(30);

    /** The next message is sent when the one before it is acknowledged; so long only a broker in trouble takes. */
    private static final Duration LONGEST_DELIVERY = Duration.ofSeconds(10);

    private static final long MILLIS_BETWEEN_LOOKS = 20;
    private static final int MOST_LOOKS = 250;

    /** Half of the delivery limit that quorum queues have by default since RabbitMQ 4.0. */
    private static final long MANY_RETURNS = 10;

    private final String queue;
    private final String address;
    private final Connection connection;
    private final Channel reading;
    private final Channel publishing;
    private final AtomicReference<@Nullable Return> returned = new AtomicReference<>();

    /**
     * Connects, and finds the queue.
     *
     * @param settings the broker
     * @param queue the dead-letter queue
     * @throws CannotRedriveException if the broker does not answer, or there is no such queue
     */
    public Redrive(BrokerSettings settings, String queue) {
        BurstConnectionFactory factory = factory(settings);
        this.queue = queue;
        this.address = Broker.address(factory);
        try {
            this.connection = factory.newConnection("outbox-relay redrive " + queue);
        } catch (IOException | TimeoutException e) {
            throw new CannotRedriveException(
                    "no connection to the broker %s: %s".formatted(address, ConnectionTrouble.inWords(e)));
        }
        try {
            this.reading = connection.createChannel();
            this.publishing = connection.createChannel();
            publishing.confirmSelect();
            publishing.addReturnListener(returned::set);
        } catch (IOException | ShutdownSignalException e) {
            connection.abort(CLOSE_TIMEOUT_MILLIS);
            throw new CannotRedriveException(
                    "no channel can be opened at the broker %s: %s".formatted(address, ConnectionTrouble.inWords(e)));
        }
    }

    private static BurstConnectionFactory factory(BrokerSettings settings) {
        try {
            return Broker.factory(settings);
        } catch (IllegalArgumentException e) {
            throw new CannotRedriveException(String.valueOf(e.getMessage()));
        }
    }

    /**
     * Counts the messages of the queue.
     *
     * @throws CannotRedriveException if there is no such queue, or another connection reads it
     */
    public long messages() {
        try {
            return reading.queueDeclarePassive(queue).getMessageCount();
        } catch (IOException | ShutdownSignalException e) {
            throw new CannotRedriveException(
                    "the queue '%s' on %s cannot be used: %s".formatted(queue, address, ConnectionTrouble.inWords(e)));
        }
    }

    /**
     * Moves messages, in the order of the queue. Those that arrive meanwhile are left: one that fails again would come
     * round for ever.
     *
     * @param most number of messages; positive
     * @param progress receives after every message how many have been moved
     * @return what was moved, and why not all
     * @throws CannotRedriveException if the queue cannot be read
     */
    public Result move(long most, LongConsumer progress) {
        Deliveries deliveries = consume();
        Map<String, Long> moved = new TreeMap<>();
        long done = 0;
        try {
            while (done < most) {
                Delivery delivery = deliveries.next();
                if (delivery == null) {
                    return new Result(moved, deliveries.ended());
                }
                String target = firstDeathQueue(delivery.getProperties()).orElse("");
                String fault = publish(target, delivery);
                if (fault != null) {
                    putBack();
                    return new Result(moved, inWords(delivery, fault));
                }
                done++;
                acknowledge(deliveries, delivery, done == most);
                moved.merge(target, 1L, Long::sum);
                progress.accept(done);
            }
            return new Result(moved, null);
        } catch (IOException | ShutdownSignalException e) {
            return new Result(moved, "the broker %s: %s".formatted(address, ConnectionTrouble.inWords(e)));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return new Result(moved, "it was interrupted");
        }
    }

    private Deliveries consume() {
        try {
            reading.basicQos(1);
            Deliveries deliveries = new Deliveries(reading);
            deliveries.tag = reading.basicConsume(queue, false, "", false, true, null, deliveries);
            long readers = publishing.consumerCount(queue);
            if (readers > 1) {
                throw notAlone("it has %d".formatted(readers));
            }
            return deliveries;
        } catch (IOException | ShutdownSignalException e) {
            throw notAlone(ConnectionTrouble.inWords(e));
        }
    }

    private CannotRedriveException notAlone(String why) {
        return new CannotRedriveException(
                "the queue '%s' on %s must have one reader, or the messages lose their order: %s. End the others."
                        .formatted(queue, address, why));
    }

    /** Returns why a message was not published; null if it was. */
    private @Nullable String publish(String target, Delivery delivery) throws InterruptedException {
        if (target.isEmpty()) {
            return "it does not say in which queue it died first: it has no header x-death";
        }
        if (target.equals(queue)) {
            return "it died in this queue itself";
        }
        returned.set(null);
        try {
            publishing.basicPublish("", target, true, withoutRecords(delivery.getProperties()), delivery.getBody());
            boolean confirmed = publishing.waitForConfirms(LONGEST_CONFIRM.toMillis());
            Return back = returned.get();
            if (back != null) {
                return "there is no queue '%s' (%d %s)".formatted(target, back.getReplyCode(), back.getReplyText());
            }
            return confirmed
                    ? null
                    : "the queue '%s' did not take it: it is full, or its node is down".formatted(target);
        } catch (IOException | ShutdownSignalException e) {
            return "publishing it to the queue '%s' failed: %s".formatted(target, ConnectionTrouble.inWords(e));
        } catch (TimeoutException e) {
            return "the queue '%s' did not confirm it within %d s; perhaps it has it nevertheless"
                    .formatted(target, LONGEST_CONFIRM.toSeconds());
        }
    }

    /** Without the last one's successor in hand: a returned message may count as delivered once more. */
    private void acknowledge(Deliveries deliveries, Delivery delivery, boolean last) throws IOException {
        if (last) {
            reading.basicCancel(deliveries.tag);
        }
        reading.basicAck(delivery.getEnvelope().getDeliveryTag(), false);
    }

    /**
     * Returns the message in hand to its place, at the head, by the end of the channel: a quorum queue without a
     * delivery limit would put a message that is nacked behind all others. Waits until it is there, for the next
     * reader.
     */
    private void putBack() throws InterruptedException {
        try (Channel looking = connection.createChannel()) {
            long others = looking.messageCount(queue);
            reading.abort();
            for (int looks = 0; looks < MOST_LOOKS && looking.messageCount(queue) <= others; looks++) {
                TimeUnit.MILLISECONDS.sleep(MILLIS_BETWEEN_LOOKS);
            }
        } catch (IOException | TimeoutException | ShutdownSignalException e) {
            connection.abort(CLOSE_TIMEOUT_MILLIS); // which returns it as well
        }
    }

    private static String inWords(Delivery delivery, String fault) {
        BasicProperties properties = delivery.getProperties();
        long returns = count(header(properties, "x-delivery-count"));
        return "message %s (%s): %s%s"
                .formatted(
                        Objects.requireNonNullElse(properties.getMessageId(), "without an id"),
                        Objects.requireNonNullElse(properties.getType(), "without a type"),
                        fault,
                        returns < MANY_RETURNS
                                ? ""
                                : (". It has been returned to the dead-letter queue %d times; a quorum queue drops a"
                                                + " message beyond its delivery limit, by default 20 since RabbitMQ"
                                                + " 4.0, so do not repeat this before the cause is fixed")
                                        .formatted(returns));
    }

    private static long count(@Nullable Object header) {
        return header instanceof Number number ? number.longValue() : 0;
    }

    /** The broker keeps the newest death first. */
    private static Optional<String> firstDeathQueue(BasicProperties properties) {
        Object first = header(properties, "x-first-death-queue");
        if (first != null) {
            return Optional.of(first.toString());
        }
        return header(properties, "x-death") instanceof List<?> deaths
                        && !deaths.isEmpty()
                        && deaths.get(deaths.size() - 1) instanceof Map<?, ?> death
                ? Optional.ofNullable(death.get("queue")).map(Object::toString)
                : Optional.empty();
    }

    private static @Nullable Object header(BasicProperties properties, String name) {
        return properties.getHeaders() == null ? null : properties.getHeaders().get(name);
    }

    /** The message as its publisher sent it, but not to further queues. */
    private static BasicProperties withoutRecords(BasicProperties properties) {
        if (properties.getHeaders() == null) {
            return properties;
        }
        Map<String, Object> headers = new TreeMap<>(properties.getHeaders());
        headers.keySet().removeIf(name -> Headers.isRecord(name) || Headers.isRouting(name));
        return properties.builder().headers(headers).build();
    }

    /** Closes the connection; a message in hand returns to its queue. */
    @Override
    public void close() {
        try {
            connection.close(CLOSE_TIMEOUT_MILLIS);
        } catch (IOException | ShutdownSignalException e) {
            connection.abort(CLOSE_TIMEOUT_MILLIS);
        }
    }

    /**
     * What was moved.
     *
     * @param moved number of messages by the queue that has them now
     * @param stopped why not all were moved, in a sentence; null if all were
     */
    public record Result(Map<String, Long> moved, @Nullable String stopped) {

        /** {@return how many messages were moved} */
        public long messages() {
            return moved.values().stream().mapToLong(Long::longValue).sum();
        }

        /** {@return the queues that have them now, each with its number} */
        public List<String> queues() {
            List<String> queues = new ArrayList<>();
            moved.forEach((queue, messages) -> queues.add(messages + " to " + queue));
            return queues;
        }
    }

    /** The broker or the queue cannot be used. The message is a sentence for a person. */
    public static final class CannotRedriveException extends RuntimeException {

        private static final long serialVersionUID = 1;

        CannotRedriveException(String message) {
            super(message);
        }
    }

    /** Receives on the connection's thread; read by the one that moves. */
    private static final class Deliveries extends DefaultConsumer {

        private final BlockingQueue<Optional<Delivery>> arrived = new LinkedBlockingQueue<>();
        private final AtomicReference<@Nullable String> end = new AtomicReference<>();
        private String tag = "";

        Deliveries(Channel channel) {
            super(channel);
        }

        /** Returns the next message; null when there is none, which {@link #ended} may explain. */
        @Nullable
        Delivery next() throws InterruptedException {
            Optional<Delivery> next = arrived.poll(LONGEST_DELIVERY.toMillis(), TimeUnit.MILLISECONDS);
            return next == null ? null : next.orElse(null);
        }

        /** Returns why no message has come. */
        String ended() {
            return Objects.requireNonNullElse(
                    end.get(),
                    "the queue gave no further message within %d s: its node may be down, or its messages have expired"
                            .formatted(LONGEST_DELIVERY.toSeconds()));
        }

        @Override
        public void handleDelivery(String consumerTag, Envelope envelope, BasicProperties properties, byte[] body) {
            arrived.add(Optional.of(new Delivery(envelope, properties, body)));
        }

        @Override
        public void handleCancel(String consumerTag) {
            end("the broker ended the reading: the queue was deleted, or its node is down");
        }

        @Override
        public void handleShutdownSignal(String consumerTag, ShutdownSignalException signal) {
            end(ConnectionTrouble.inWords(signal));
        }

        private void end(String why) {
            end.compareAndSet(null, why);
            arrived.add(Optional.empty());
        }
    }
}
