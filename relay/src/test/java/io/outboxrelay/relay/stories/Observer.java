package io.outboxrelay.relay.stories;

import static java.util.stream.Collectors.toSet;
import static org.awaitility.Awaitility.await;

import com.rabbitmq.client.AMQP;
import com.rabbitmq.client.Channel;
import com.rabbitmq.client.Connection;
import com.rabbitmq.client.ConnectionFactory;
import io.outboxrelay.testservers.Arrivals;
import io.outboxrelay.testservers.QueueReader;
import io.outboxrelay.testservers.ServiceEvent;
import io.outboxrelay.testservers.TestVirtualHost;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * A consumer on a durable quorum queue that records what arrives. If the broker redelivers a message because the
 * observer could not acknowledge it, that does not count as published twice.
 */
final class Observer implements AutoCloseable {

    private static final String EXCHANGE = "events";
    private static final String MARKER = "marker";
    private static final Duration CATCHING_UP = Duration.ofSeconds(60);

    private final ConnectionFactory broker;
    private final String queue;
    private final Runnable firstDelivery;
    private final Arrivals arrivals = new Arrivals();
    private final Set<String> markers = ConcurrentHashMap.newKeySet();
    private final AtomicInteger duplicates = new AtomicInteger();
    private final QueueReader reader;

    /**
     * Declares the queue and begins to consume.
     *
     * @param host where
     * @param aggregateType whose events
     * @param firstDelivery called for each event that arrives for the first time
     */
    Observer(TestVirtualHost host, String aggregateType, Runnable firstDelivery) throws IOException, TimeoutException {
        this.broker = host.connectionFactory();
        broker.setAutomaticRecoveryEnabled(false);
        broker.setRequestedHeartbeat(5);
        this.queue = "observer." + aggregateType;
        this.firstDelivery = firstDelivery;
        try (Connection connection = broker.newConnection();
                Channel channel = connection.createChannel()) {
            channel.exchangeDeclare(EXCHANGE, "topic", true);
            channel.queueDeclare(queue, true, false, false, Map.of("x-queue-type", "quorum"));
            channel.queueBind(queue, EXCHANGE, aggregateType + ".#");
        }
        this.reader = new QueueReader(broker, queue, this::record);
    }

    /** Number of different events that have arrived. */
    int received() {
        return arrivals.count();
    }

    Set<UUID> ids() {
        return arrivals.events().stream().map(ServiceEvent::id).collect(toSet());
    }

    /** Number of repeated deliveries, without the broker's redeliveries. */
    int duplicates() {
        return duplicates.get();
    }

    /** First deliveries that came after a later event of their aggregate. */
    List<String> disorder() {
        return arrivals.disorder();
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
        await().atMost(CATCHING_UP).until(() -> markers.contains(marker));
    }

    @Override
    public void close() {
        reader.close();
    }

    private void record(AMQP.BasicProperties properties, byte[] body, boolean redelivered) {
        if (MARKER.equals(properties.getType())) {
            markers.add(properties.getMessageId());
        } else if (arrivals.add(ServiceEvent.read(properties, body))) {
            firstDelivery.run();
        } else if (!redelivered) {
            duplicates.incrementAndGet();
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
