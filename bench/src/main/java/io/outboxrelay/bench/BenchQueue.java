package io.outboxrelay.bench;

import com.rabbitmq.client.Channel;
import com.rabbitmq.client.Connection;
import com.rabbitmq.client.ConnectionFactory;
import java.io.IOException;
import java.net.URISyntaxException;
import java.security.GeneralSecurityException;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** The exchange and the queue of one run, and the broker's figures about them. Closing it deletes both. */
final class BenchQueue implements AutoCloseable {

    static final String EXCHANGE = "outbox-bench";
    static final String ROUTING_KEY = "order.placed";
    static final String QUEUE = "outbox-bench";

    private static final Duration LONGEST_WAIT = Duration.ofSeconds(20);
    private static final Duration BETWEEN_LOOKS = Duration.ofMillis(20);

    private final Connection connection;
    private final Channel channel;

    /** Declares the topic exchange and an empty durable queue that is bound to it. */
    BenchQueue(String amqpUri, QueueKind kind) throws IOException {
        try {
            ConnectionFactory factory = new ConnectionFactory();
            factory.setUri(amqpUri);
            connection = factory.newConnection("outbox-bench");
        } catch (URISyntaxException | GeneralSecurityException | TimeoutException e) {
            throw new IOException("The broker does not answer: " + e.getMessage(), e);
        }
        channel = connection.createChannel();
        channel.queueDelete(QUEUE);
        channel.exchangeDeclare(EXCHANGE, "topic", true);
        channel.queueDeclare(QUEUE, true, false, false, kind.arguments());
        channel.queueBind(QUEUE, EXCHANGE, ROUTING_KEY);
    }

    /** One more channel of the connection, for the caller to use and to close. */
    Channel newChannel() throws IOException {
        return connection.createChannel();
    }

    /** How many messages are in the queue. */
    long depth() throws IOException {
        return channel.queueDeclarePassive(QUEUE).getMessageCount();
    }

    /** Returns when there is a message, which proves that somebody publishes. */
    void awaitMessages() throws IOException, InterruptedException {
        long began = System.nanoTime();
        while (depth() == 0) {
            if (System.nanoTime() - began > LONGEST_WAIT.toNanos()) {
                throw new IllegalStateException("There is no message in the queue after " + LONGEST_WAIT);
            }
            TimeUnit.NANOSECONDS.sleep(BETWEEN_LOOKS.toNanos());
        }
    }

    @Override
    public void close() throws IOException {
        try {
            channel.queueDelete(QUEUE);
            channel.exchangeDelete(EXCHANGE);
        } finally {
            connection.close();
        }
    }
}
