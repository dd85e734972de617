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
 * the broker cancels the consumer; nothing of it is carried over into the next one, because delivery tags have a meaning
 * only on their own channel. Whatever was not acknowledged by then the broker delivers again.
 *
 * <p>The broker's client adds deliveries from its threads; everything else is called by the consumer's one thread, except
 * {@link #wake} and {@link #abort}.
 */
final class ConsumerSession implements AutoCloseable {

    /** Long enough for a broker that answers, short enough for one that does not. */
    private static final int CLOSE_TIMEOUT_MILLIS = 5_000;

    /** An acknowledgement is not kept back for longer, once the next event is done. */
    private static final long ACK_DELAY = Duration.ofSeconds(1).toNanos();

    /** Queued to wake the consumer up; carries nothing. */
    private final Delivery wakeUp =
            new Delivery(new Envelope(0, false, "", ""), new AMQP.BasicProperties(), new byte[0]);

    private final BlockingQueue<Delivery> deliveries = new LinkedBlockingQueue<>();
    private final Connection connection;
    private final Channel channel;
    private final int ackEvery;
    private volatile @Nullable String ended;

    private long lastTag;
    private int unacknowledged;
    private long oldestAt;

    private ConsumerSession(Connection connection, Channel channel, int ackEvery) {
        this.connection = connection;
        this.channel = channel;
        this.ackEvery = ackEvery;
    }

    /** Connects, declares the queue if it is to be declared, and starts taking deliveries. */
    static ConsumerSession open(ConnectionFactory broker, ConsumerSettings settings)
            throws IOException, TimeoutException {
        Connection connection = broker.newConnection("outbox consumer " + settings.name());
        try {
            ConsumerQueue declaration = settings.declaration();
            if (declaration != null) {
                declaration.declareOn(connection);
            }
            Channel channel = connection.createChannel();
            channel.basicQos(settings.prefetch());
            // Half of what may be in hand, so that the broker can send while the rest is worked on.
            ConsumerSession session = new ConsumerSession(connection, channel, Math.max(1, settings.prefetch() / 2));
            session.consume(settings.queue());
            return session;
        } catch (IOException | TimeoutException | RuntimeException e) {
            connection.abort(CLOSE_TIMEOUT_MILLIS);
            throw e;
        }
    }

    private void consume(String queue) throws IOException {
        channel.basicConsume(
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
     * @return nothing if it was woken up
     * @throws IOException if the session has ended
     */
    Optional<Delivery> next() throws IOException, InterruptedException {
        Delivery delivery = deliveries.take();
        if (ended != null) {
            // What is still queued here will be delivered again.
            throw new IOException(ended);
        }
        return delivery == wakeUp ? Optional.empty() : Optional.of(delivery);
    }

    void wake() {
        deliveries.add(wakeUp);
    }

    /**
     * The event is done. Called in the order of delivery, so that many can be acknowledged at once, up to the last; they
     * are when there is nothing else to do, when they are many, or when they have waited long.
     */
    void done(Delivery delivery) throws IOException {
        lastTag = delivery.getEnvelope().getDeliveryTag();
        if (unacknowledged++ == 0) {
            oldestAt = System.nanoTime();
        }
        if (deliveries.isEmpty() || unacknowledged >= ackEvery || System.nanoTime() - oldestAt > ACK_DELAY) {
            acknowledge();
        }
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
        acknowledge();
        channel.basicReject(delivery.getEnvelope().getDeliveryTag(), false);
    }

    /** Ends it from any thread; the broker takes back what was not acknowledged. */
    void abort() {
        connection.abort(CLOSE_TIMEOUT_MILLIS);
    }

    /** Acknowledges what is done and gives back the rest. */
    @Override
    public void close() {
        try {
            acknowledge();
        } catch (IOException | RuntimeException e) {
            // The connection is gone: what was done will be delivered again, and the inbox knows it.
        }
        connection.abort(CLOSE_TIMEOUT_MILLIS);
    }
}
