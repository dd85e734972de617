package io.outboxrelay.client;

import com.rabbitmq.client.AMQP;
import com.rabbitmq.client.Channel;
import com.rabbitmq.client.Connection;
import com.rabbitmq.client.ConnectionFactory;
import com.rabbitmq.client.Delivery;
import com.rabbitmq.client.Envelope;
import java.io.IOException;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/**
 * One connection to the broker and what was delivered over it. It ends with the connection, with the channel, or when
 * the broker cancels the consumer; nothing of it is carried over into the next one, because delivery tags have a
 * meaning only on their own channel. Whatever was not acknowledged by then the broker delivers again.
 *
 * <p>It begins with one delivery, and the broker sends ahead only when that one is done. So an event that ends one
 * session after the other, with the consumer's process or its database, raises its own delivery count and no other's.
 *
 * <p>The broker's client adds deliveries from its threads; everything else is called by the consumer's one thread,
 * except {@link #wake} and {@link #abort}.
 */
final class ConsumerSession implements AutoCloseable {

    /** Long enough for a broker that answers, short enough for one that does not. */
    private static final int CLOSE_TIMEOUT_MILLIS = 5_000;

    /** As a delivery tag: all that the channel has delivered. */
    private static final long EVERYTHING = 0;

    /** An acknowledgement is not kept back for longer, once the next event is done. */
    private static final long ACK_DELAY = Duration.ofSeconds(1).toNanos();

    /** Queued to wake the consumer up; carries nothing. */
    private final Delivery wakeUp =
            new Delivery(new Envelope(0, false, "", ""), new AMQP.BasicProperties(), new byte[0]);

    private final BlockingQueue<Delivery> deliveries = new LinkedBlockingQueue<>();
    private final Connection connection;
    private final Channel channel;
    private final String queue;
    private final int prefetch;
    private volatile @Nullable String ended;

    private String consumerTag = "";
    private boolean sendsAhead;
    private long lastTag;
    private int unacknowledged;
    private long oldestAt;

    private ConsumerSession(Connection connection, Channel channel, ConsumerSettings settings) {
        this.connection = connection;
        this.channel = channel;
        this.queue = settings.queue();
        this.prefetch = settings.prefetch();
    }

    /** Connects, declares the queue if it is to be declared, and starts taking deliveries. */
    static ConsumerSession open(ConnectionFactory broker, ConsumerSettings settings)
            throws IOException, TimeoutException {
        String name = "outbox consumer " + settings.name();
        Connection connection = settings.addresses().isEmpty()
                ? broker.newConnection(name)
                : broker.newConnection(settings.addresses(), name);
        try {
            ConsumerQueue declaration = settings.declaration();
            if (declaration != null) {
                declaration.declareOn(connection);
            }
            ConsumerSession session = new ConsumerSession(connection, connection.createChannel(), settings);
            session.consume(1);
            return session;
        } catch (IOException | TimeoutException | RuntimeException e) {
            connection.abort(CLOSE_TIMEOUT_MILLIS);
            throw e;
        }
    }

    /** The limit applies to consumers that begin after it was set. */
    private void consume(int most) throws IOException {
        channel.basicQos(most);
        consumerTag = channel.basicConsume(
                queue,
                false,
                (tag, delivery) -> deliveries.add(delivery),
                tag -> end("the broker cancelled the consumer"),
                (tag, signal) -> end(signal.getMessage()));
    }

    private void end(String reason) {
        ended = reason;
        wake();
    }

    /**
     * Waits for the next delivery.
     *
     * @return nothing if it was woken up, or interrupted by anybody
     * @throws IOException if the session has ended
     */
    Optional<Delivery> next() throws IOException {
        Delivery delivery;
        try {
            delivery = deliveries.take();
        } catch (InterruptedException e) {
            return Optional.empty();
        }
        requireOpen();
        return delivery == wakeUp ? Optional.empty() : Optional.of(delivery);
    }

    /**
     * Looks whether what was delivered is still this session's.
     *
     * @throws IOException if the session has ended: the broker delivers again what was not acknowledged, perhaps to
     *     another
     */
    void requireOpen() throws IOException {
        String why = ended;
        if (why != null) {
            throw new IOException(why);
        }
    }

    void wake() {
        deliveries.add(wakeUp);
    }

    /**
     * The event is done. Called in the order of delivery, so that many can be acknowledged at once, up to the last;
     * they are when there is nothing else to do, when they are many, or when they have waited long.
     */
    void done(Delivery delivery) throws IOException {
        sendAhead();
        lastTag = delivery.getEnvelope().getDeliveryTag();
        if (unacknowledged++ == 0) {
            oldestAt = System.nanoTime();
        }
        // At half of what may be in hand the broker can send while the rest is worked on.
        if (deliveries.isEmpty() || unacknowledged >= prefetch / 2 || System.nanoTime() - oldestAt > ACK_DELAY) {
            acknowledge();
        }
    }

    /** While the first delivery is unacknowledged, nothing can arrive between the one consumer and the other. */
    private void sendAhead() throws IOException {
        if (!sendsAhead && prefetch > 1) {
            channel.basicCancel(consumerTag);
            consume(prefetch);
        }
        sendsAhead = true;
    }

    /** Tells the broker now what is done. */
    void acknowledge() throws IOException {
        if (unacknowledged > 0) {
            channel.basicAck(lastTag, true);
            unacknowledged = 0;
        }
    }

    /** The event goes to the dead-letter exchange. */
    void reject(Delivery delivery) throws IOException {
        sendAhead();
        acknowledge();
        channel.basicReject(delivery.getEnvelope().getDeliveryTag(), false);
    }

    /** Ends it from any thread; the broker takes back what was not acknowledged. */
    void abort() {
        connection.abort(CLOSE_TIMEOUT_MILLIS);
    }

    /**
     * Acknowledges what is done and gives back the rest, by a nack: a lost connection counts as a failed delivery on
     * every broker, a nack does not on RabbitMQ 4.3.
     */
    @Override
    public void close() {
        try {
            if (ended == null) {
                channel.basicCancel(consumerTag);
            }
            acknowledge();
            channel.basicNack(EVERYTHING, true, true);
        } catch (IOException | RuntimeException e) {
            // The connection is gone: what was done will be delivered again, and the inbox knows it.
        }
        connection.abort(CLOSE_TIMEOUT_MILLIS);
    }
}
