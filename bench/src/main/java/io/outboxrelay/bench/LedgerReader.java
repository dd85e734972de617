package io.outboxrelay.bench;

import com.rabbitmq.client.AMQP;
import com.rabbitmq.client.Channel;
import com.rabbitmq.client.Connection;
import com.rabbitmq.client.ConnectionFactory;
import com.rabbitmq.client.DefaultConsumer;
import com.rabbitmq.client.Envelope;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.UUID;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** Notes what is in a ledger, then acknowledges it. It connects again whenever the broker was away. */
final class LedgerReader implements AutoCloseable {

    private static final int PREFETCH = 500;

    private final ConnectionFactory broker;
    private final String queue;
    private final Arrivals arrivals = new Arrivals();
    private final CountDownLatch closed = new CountDownLatch(1);
    private final Thread thread;

    /** Begins to read. */
    LedgerReader(ConnectionFactory broker, String queue) {
        this.broker = broker;
        this.queue = queue;
        this.thread = new Thread(this::readUntilClosed, queue);
        thread.start();
    }

    Arrivals arrivals() {
        return arrivals;
    }

    @Override
    public void close() {
        closed.countDown();
        thread.interrupt();
        try {
            thread.join();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void readUntilClosed() {
        try {
            while (closed.getCount() > 0) {
                try (Connection connection = broker.newConnection(queue)) {
                    read(connection);
                } catch (IOException | TimeoutException | RuntimeException e) {
                    closed.await(200, TimeUnit.MILLISECONDS);
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void read(Connection connection) throws IOException, InterruptedException {
        CountDownLatch over = new CountDownLatch(1);
        Channel channel = connection.createChannel();
        channel.addShutdownListener(cause -> over.countDown());
        channel.basicQos(PREFETCH);
        channel.basicConsume(queue, false, new DefaultConsumer(channel) {
            @Override
            public void handleDelivery(String tag, Envelope envelope, AMQP.BasicProperties properties, byte[] body)
                    throws IOException {
                arrivals.add(ServiceEvent.read(
                        UUID.fromString(properties.getMessageId()), new String(body, StandardCharsets.UTF_8)));
                channel.basicAck(envelope.getDeliveryTag(), false);
            }

            @Override
            public void handleCancel(String tag) {
                over.countDown();
            }
        });
        over.await();
    }
}
