package io.outboxrelay.bench;

import com.rabbitmq.client.AMQP.BasicProperties;
import com.rabbitmq.client.Channel;
import com.rabbitmq.client.DefaultConsumer;
import com.rabbitmq.client.Envelope;
import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicLongArray;
import java.util.function.Supplier;
import java.util.stream.IntStream;

/** A consumer that notes when it received each event of {@link PacedWriters}. */
final class Receipts implements AutoCloseable {

    private static final Duration LONGEST_WAIT = Duration.ofSeconds(60);

    private final Channel channel;
    private final AtomicLongArray receivedAt;
    private final CountDownLatch missing;

    /** Begins to consume. */
    Receipts(BenchQueue queue, int events) throws IOException {
        this.channel = queue.newChannel();
        this.receivedAt = new AtomicLongArray(events);
        this.missing = new CountDownLatch(events);
        channel.basicConsume(BenchQueue.QUEUE, true, new DefaultConsumer(channel) {
            @Override
            public void handleDelivery(String tag, Envelope envelope, BasicProperties properties, byte[] body) {
                note(Integer.parseInt(properties.getContentType()), System.nanoTime());
            }
        });
    }

    /**
     * Lets the events be written, and waits for all of them.
     *
     * @param begin to write them
     * @param warmUp how many events at the beginning do not count
     * @throws IllegalStateException if one does not arrive within a minute
     */
    Latencies latencies(Supplier<PacedWriters> begin, int warmUp) throws InterruptedException {
        try (PacedWriters writers = begin.get()) {
            writers.await();
            if (!missing.await(LONGEST_WAIT.toMillis(), TimeUnit.MILLISECONDS)) {
                throw new IllegalStateException(
                        "%d of %d events have not arrived".formatted(missing.getCount(), receivedAt.length()));
            }
            // An event may arrive before its writer knows that it is committed.
            return Latencies.of(IntStream.range(warmUp, receivedAt.length())
                    .mapToDouble(event -> Math.max(0, receivedAt.get(event) - writers.committedAt(event)) / 1e6));
        }
    }

    private void note(int event, long nanoTime) {
        if (receivedAt.compareAndSet(event, 0, nanoTime)) {
            missing.countDown();
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
