package io.outboxrelay.bench;

import com.rabbitmq.client.AMQP.BasicProperties;
import com.rabbitmq.client.Channel;
import com.rabbitmq.client.DefaultConsumer;
import com.rabbitmq.client.Envelope;
import io.outboxrelay.testservers.JavaProcess;
import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicLong;

/**
 * A consumer that counts and forgets: the queue stays empty, so that the broker works as little for the last message as
 * for the first.
 */
final class Sink implements AutoCloseable {

    private static final Duration BETWEEN_LOOKS = Duration.ofMillis(5);

    private final Channel channel;
    private final AtomicLong received = new AtomicLong();

    /** Begins to consume. */
    Sink(BenchQueue queue) throws IOException {
        this.channel = queue.newChannel();
        channel.basicConsume(BenchQueue.QUEUE, true, new DefaultConsumer(channel) {
            @Override
            public void handleDelivery(String tag, Envelope envelope, BasicProperties properties, byte[] body) {
                received.incrementAndGet();
            }
        });
    }

    /** How many messages have arrived. */
    long received() {
        return received.get();
    }

    /**
     * Returns when so many messages have arrived.
     *
     * @param timeout how long at most
     * @param relay that publishes them
     * @throws IllegalStateException if the relay ends before, or it takes longer
     */
    void await(long messages, Duration timeout, JavaProcess relay) throws InterruptedException {
        long began = System.nanoTime();
        while (received() < messages) {
            if (!relay.isAlive() || System.nanoTime() - began > timeout.toNanos()) {
                throw new IllegalStateException("Only %d of %d events have arrived; the output of the relay:%n%s"
                        .formatted(received(), messages, relay.output()));
            }
            TimeUnit.NANOSECONDS.sleep(BETWEEN_LOOKS.toNanos());
        }
    }

    @Override
    public void close() throws IOException {
        try {
            channel.close();
        } catch (TimeoutException e) {
            throw new IOException("The broker does not answer: " + e.getMessage(), e);
        }
    }
}
