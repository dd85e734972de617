package io.outboxrelay.client;

import com.rabbitmq.client.AMQP;
import com.rabbitmq.client.Channel;
import com.rabbitmq.client.Connection;
import com.rabbitmq.client.ConnectionFactory;
import io.outboxrelay.testservers.TestVirtualHost;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * Publishes events as a relay does: mandatory, with their lane, at most one unconfirmed event of an aggregate at a
 * time, and again what the broker has not confirmed. One thread uses it.
 */
final class RelaysEnd {

    private static final int WINDOW = 200;
    private static final long PAUSE_MILLIS = 100;
    private static final long CONFIRM_MILLIS = 10_000;

    private final ConnectionFactory broker;
    private final String exchange;
    private final CountDownLatch closed = new CountDownLatch(1);
    private final ConcurrentLinkedQueue<String> returned = new ConcurrentLinkedQueue<>();

    RelaysEnd(TestVirtualHost host) {
        this(host, "events");
    }

    RelaysEnd(TestVirtualHost host, String exchange) {
        this.exchange = exchange;
        this.broker = host.connectionFactory();
        broker.setAutomaticRecoveryEnabled(false);
        broker.setConnectionTimeout(2_000);
        broker.setRequestedHeartbeat(5);
    }

    /** Gives up what is not confirmed yet. Called by any thread. */
    void close() {
        closed.countDown();
    }

    /** The ids of the messages that the broker could not route. */
    List<String> returned() {
        return List.copyOf(returned);
    }

    /** Returns when the broker has confirmed all of them, however often it was away. */
    void publish(List<NumberedEvent> events) throws InterruptedException {
        int confirmed = 0;
        while (confirmed < events.size() && closed.getCount() > 0) {
            try (Connection connection = broker.newConnection("relay");
                    Channel channel = connection.createChannel()) {
                channel.confirmSelect();
                channel.addReturnListener(
                        message -> returned.add(message.getProperties().getMessageId()));
                while (confirmed < events.size() && closed.getCount() > 0) {
                    List<NumberedEvent> window = window(events.subList(confirmed, events.size()));
                    for (NumberedEvent event : window) {
                        publish(channel, event, Map.of(ConsumerQueue.LANE_HEADER, event.lane()));
                    }
                    channel.waitForConfirmsOrDie(CONFIRM_MILLIS);
                    confirmed += window.size();
                }
            } catch (IOException | TimeoutException | RuntimeException e) {
                closed.await(PAUSE_MILLIS, TimeUnit.MILLISECONDS);
            }
        }
    }

    /** The first of them, until the second one of an aggregate would follow. */
    private static List<NumberedEvent> window(List<NumberedEvent> events) {
        Set<Integer> aggregates = new HashSet<>();
        List<NumberedEvent> window = new ArrayList<>();
        for (NumberedEvent event : events) {
            if (window.size() == WINDOW || !aggregates.add(event.aggregate())) {
                break;
            }
            window.add(event);
        }
        return window;
    }

    /** Publishes one event and returns when it is confirmed or returned. */
    void publish(NumberedEvent event, Map<String, Object> headers) throws Exception {
        try (Connection connection = broker.newConnection("relay");
                Channel channel = connection.createChannel()) {
            channel.confirmSelect();
            channel.addReturnListener(
                    message -> returned.add(message.getProperties().getMessageId()));
            publish(channel, event, headers);
            channel.waitForConfirmsOrDie(CONFIRM_MILLIS);
        }
    }

    /** Ends the history of a queue. */
    void endHistory(String queue) throws Exception {
        try (Connection connection = broker.newConnection("relay");
                Channel channel = connection.createChannel()) {
            channel.confirmSelect();
            AMQP.BasicProperties properties = new AMQP.BasicProperties.Builder()
                    .messageId(UUID.randomUUID().toString())
                    .deliveryMode(2)
                    .headers(Map.of(ConsumerQueue.HISTORY_END_HEADER, true))
                    .build();
            channel.basicPublish(queue + ".history.end", "", true, properties, new byte[0]);
            channel.waitForConfirmsOrDie(CONFIRM_MILLIS);
        }
    }

    private void publish(Channel channel, NumberedEvent event, Map<String, Object> more) throws IOException {
        Map<String, Object> headers = new HashMap<>(more);
        headers.put("aggregate_type", "order");
        headers.put("aggregate_id", Integer.toString(event.aggregate()));
        AMQP.BasicProperties properties = new AMQP.BasicProperties.Builder()
                .messageId(event.id().toString())
                .type("OrderChanged")
                .contentType("text/plain")
                .deliveryMode(2)
                .headers(headers)
                .build();
        channel.basicPublish(exchange, "order.changed", true, properties, event.payload());
    }
}
