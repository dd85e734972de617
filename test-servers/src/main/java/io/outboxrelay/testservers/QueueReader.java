package io.outboxrelay.testservers;

import com.rabbitmq.client.AMQP;
import com.rabbitmq.client.Channel;
import com.rabbitmq.client.Connection;
import com.rabbitmq.client.ConnectionFactory;
import com.rabbitmq.client.DefaultConsumer;
import com.rabbitmq.client.Envelope;
import java.io.IOException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** Reads a queue until it is closed, and reconnects whenever the broker was unavailable. It has its own thread. */
public final class QueueReader implements AutoCloseable {
    private static final int PREFETCH = 500;
    private static final long PAUSE_MILLIS = 200;

    private final ConnectionFactory broker;
    private final String queue;
    private final Handler handler;
    private final CountDownLatch closed = new CountDownLatch(1);
    private final Thread thread;

    /** Takes the messages, on a thread of the connection; each is acknowledged afterwards. */
    @FunctionalInterface
    public interface Handler {
        /**
         * Takes a message.
         *
         * @param properties of the message
         * @param body of the message
         * @param redelivered whether the broker has delivered it before
         */
        void take(AMQP.BasicProperties properties, byte[] body, boolean redelivered);
    }

    /**
     * Begins to read.
     *
     * @param broker must not recover connections itself
     * @param queue which exists
     * @param handler takes the messages
     */
    public QueueReader(ConnectionFactory broker, String queue, Handler handler) {
        this.broker = broker;
        this.queue = queue;
        this.handler = handler;
        this.thread = new Thread(this::readUntilClosed, queue);
        thread.start();
    }

    /** Stops reading, and waits until it has stopped. */
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
                    closed.await(PAUSE_MILLIS, TimeUnit.MILLISECONDS);
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
                handler.take(properties, body, envelope.isRedeliver());
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
