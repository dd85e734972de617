package io.outboxrelay.relay.stories;

import static org.awaitility.Awaitility.await;

import com.rabbitmq.client.AMQP;
import com.rabbitmq.client.Channel;
import com.rabbitmq.client.Connection;
import com.rabbitmq.client.ConnectionFactory;
import com.rabbitmq.client.DefaultConsumer;
import com.rabbitmq.client.Envelope;
import io.outboxrelay.testservers.TestVirtualHost;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * A consumer on a durable quorum queue that keeps a record of what arrives. It connects again whenever the broker was
 * away. What the broker delivers to it twice, because it could not acknowledge, does not count as published twice.
 */
final class Observer implements AutoCloseable {

    private static final String EXCHANGE = "events";
    private static final String MARKER = "marker";
    private static final int PREFETCH = 500;
    private static final Duration CATCHING_UP = Duration.ofSeconds(60);

    private final ConnectionFactory broker;
    private final String queue;
    private final String aggregateType;
    private final Runnable firstDelivery;
    private final CountDownLatch closed = new CountDownLatch(1);
    private final Thread thread;

    private final Set<UUID> ids = new HashSet<>();
    private final Map<String, Integer> versions = new HashMap<>();
    private final List<String> disorder = new ArrayList<>();
    private final Set<String> markers = new HashSet<>();
    private int duplicates;

    /**
     * Declares the queue and begins to consume.
     *
     * @param host where
     * @param aggregateType whose events
     * @param firstDelivery told of each event that arrives for the first time
     */
    Observer(TestVirtualHost host, String aggregateType, Runnable firstDelivery) throws IOException, TimeoutException {
        this.broker = host.connectionFactory();
        broker.setAutomaticRecoveryEnabled(false);
        broker.setRequestedHeartbeat(5);
        this.queue = "observer." + aggregateType;
        this.aggregateType = aggregateType;
        this.firstDelivery = firstDelivery;
        try (Connection connection = broker.newConnection();
                Channel channel = connection.createChannel()) {
            channel.exchangeDeclare(EXCHANGE, "topic", true);
            channel.queueDeclare(queue, true, false, false, Map.of("x-queue-type", "quorum"));
            channel.queueBind(queue, EXCHANGE, aggregateType + ".#");
        }
        this.thread = new Thread(this::consumeUntilClosed, queue);
        thread.start();
    }

    /** How many different events have arrived. */
    synchronized int received() {
        return ids.size();
    }

    synchronized Set<UUID> ids() {
        return Set.copyOf(ids);
    }

    /** How often an event arrived that had arrived before. */
    synchronized int duplicates() {
        return duplicates;
    }

    /** First deliveries that were not the next version of their aggregate. */
    synchronized List<String> disorder() {
        return List.copyOf(disorder);
    }

    /** Waits until everything that is in the queue now has arrived. */
    void catchUp() throws IOException, TimeoutException {
        String marker = UUID.randomUUID().toString();
        try (Connection connection = broker.newConnection();
                Channel channel = connection.createChannel()) {
            channel.confirmSelect();
            channel.basicPublish("", queue, marker(marker), new byte[0]);
            channel.waitForConfirms(CATCHING_UP.toMillis());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("Interrupted while the observer caught up", e);
        }
        await().atMost(CATCHING_UP).until(() -> saw(marker));
    }

    private synchronized boolean saw(String marker) {
        return markers.contains(marker);
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

    private void consumeUntilClosed() {
        while (closed.getCount() > 0) {
            try (Connection connection = broker.newConnection()) {
                consume(connection);
            } catch (IOException | TimeoutException | RuntimeException e) {
                pause();
            } catch (InterruptedException e) {
                return;
            }
        }
    }

    private void consume(Connection connection) throws IOException, InterruptedException {
        CountDownLatch lost = new CountDownLatch(1);
        Channel channel = connection.createChannel();
        channel.addShutdownListener(cause -> lost.countDown());
        channel.basicQos(PREFETCH);
        channel.basicConsume(queue, false, new DefaultConsumer(channel) {
            @Override
            public void handleDelivery(String tag, Envelope envelope, AMQP.BasicProperties properties, byte[] body)
                    throws IOException {
                record(envelope, properties, body);
                channel.basicAck(envelope.getDeliveryTag(), false);
            }

            @Override
            public void handleCancel(String tag) {
                lost.countDown();
            }
        });
        lost.await();
    }

    private void record(Envelope envelope, AMQP.BasicProperties properties, byte[] body) {
        if (MARKER.equals(properties.getType())) {
            synchronized (this) {
                markers.add(properties.getMessageId());
            }
            return;
        }
        UUID id = UUID.fromString(properties.getMessageId());
        String aggregate = String.valueOf(properties.getHeaders().get("aggregate_id"));
        int version = Integer.parseInt(new String(body, StandardCharsets.UTF_8));
        if (recordedFirst(id, aggregate, version, envelope.isRedeliver())) {
            firstDelivery.run();
        }
    }

    private synchronized boolean recordedFirst(UUID id, String aggregate, int version, boolean redelivered) {
        if (!ids.add(id)) {
            duplicates += redelivered ? 0 : 1;
            return false;
        }
        int before = versions.getOrDefault(aggregate, 0);
        if (version != before + 1) {
            disorder.add(
                    "%s %s: version %d arrived after version %d".formatted(aggregateType, aggregate, version, before));
        }
        versions.put(aggregate, version);
        return true;
    }

    private void pause() {
        try {
            closed.await(200, TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private static AMQP.BasicProperties marker(String id) {
        return new AMQP.BasicProperties.Builder()
                .type(MARKER)
                .messageId(id)
                .deliveryMode(2)
                .build();
    }
}
