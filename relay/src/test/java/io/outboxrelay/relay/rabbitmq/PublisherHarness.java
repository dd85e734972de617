package io.outboxrelay.relay.rabbitmq;

import static org.awaitility.Awaitility.await;

import com.rabbitmq.client.Channel;
import com.rabbitmq.client.Connection;
import com.rabbitmq.client.GetResponse;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.outboxrelay.relay.lane.Event;
import io.outboxrelay.relay.lane.Outcome;
import io.outboxrelay.relay.lane.Publisher.Answer;
import io.outboxrelay.relay.rabbitmq.BrokerSettings.Topology;
import io.outboxrelay.testservers.TestVirtualHost;
import java.io.IOException;
import java.net.URI;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicLong;

/** A publisher of one lane at a real broker, and beside it a plain client that administers and consumes. */
final class PublisherHarness implements AutoCloseable {

    static final String EXCHANGE = "events";
    static final Duration PATIENCE = Duration.ofSeconds(60);

    /** How far the publisher's clock is ahead. */
    final AtomicLong ahead = new AtomicLong();

    final SimpleMeterRegistry meters = new SimpleMeterRegistry();
    final BrokerSettings settings;
    final Broker broker;
    final RabbitPublisher publisher;
    final Connection client;
    final Channel admin;

    PublisherHarness(TestVirtualHost host) throws IOException, TimeoutException {
        this(host, EXCHANGE, "{aggregate_type}.{event}", Topology.DECLARE, false);
    }

    /** The publisher comes by another port to the broker. */
    PublisherHarness(TestVirtualHost host, int port) throws IOException, TimeoutException {
        this(
                host,
                URI.create("amqp://%s:%s@127.0.0.1:%d/%s".formatted(host.user(), host.password(), port, host.name())),
                EXCHANGE,
                "{aggregate_type}.{event}",
                Topology.DECLARE,
                false);
    }

    PublisherHarness(
            TestVirtualHost host,
            String exchange,
            String routingKey,
            Topology topology,
            boolean cloudEvents,
            String... declarable)
            throws IOException, TimeoutException {
        this(host, URI.create(host.amqpUri()), exchange, routingKey, topology, cloudEvents, declarable);
    }

    private PublisherHarness(
            TestVirtualHost host,
            URI uri,
            String exchange,
            String routingKey,
            Topology topology,
            boolean cloudEvents,
            String... declarable)
            throws IOException, TimeoutException {
        settings = new BrokerSettings(
                uri,
                exchange,
                routingKey,
                topology,
                Set.of(declarable),
                cloudEvents,
                Duration.ofSeconds(2),
                Duration.ofSeconds(5),
                null,
                null,
                false,
                null);
        var factory = host.connectionFactory();
        factory.setAutomaticRecoveryEnabled(false);
        client = factory.newConnection("test");
        admin = client.createChannel();
        broker = new Broker("orders", "relay-1", settings);
        publisher = new RabbitPublisher(
                "orders",
                broker,
                settings,
                new PublishMetrics("orders", meters),
                () -> System.nanoTime() + ahead.get());
        broker.start();
        awaitReady();
    }

    void awaitReady() {
        await().atMost(PATIENCE).until(publisher::ready);
    }

    /** Declares the relay's exchange and a durable queue that is bound to it by a key. */
    void queue(String name, String key, Map<String, Object> arguments) throws IOException {
        admin.exchangeDeclare(EXCHANGE, "topic", true);
        admin.queueDeclare(name, true, false, false, arguments);
        admin.queueBind(name, EXCHANGE, key);
    }

    /** Publishes events at once and waits for the outcome of each. */
    List<Outcome> publish(List<Event> events) throws InterruptedException {
        events.forEach(publisher::publish);
        publisher.flush();
        List<Answer> answers = answers(events.size());
        return events.stream()
                .map(event -> answers.stream()
                        .filter(answer -> answer.event() == event)
                        .findFirst()
                        .orElseThrow()
                        .outcome())
                .toList();
    }

    Outcome publish(Event event) throws InterruptedException {
        return publish(List.of(event)).get(0);
    }

    /** Waits for this number of answers, and checks that there are no more. */
    List<Answer> answers(int count) throws InterruptedException {
        List<Answer> answers = new ArrayList<>();
        long end = System.nanoTime() + PATIENCE.toNanos();
        while (answers.size() < count && System.nanoTime() - end < 0) {
            answers.addAll(publisher.answers(Duration.ofSeconds(1)));
        }
        answers.addAll(publisher.answers(Duration.ZERO));
        if (answers.size() != count
                || answers.stream().map(Answer::event).distinct().count() != count) {
            throw new AssertionError("expected one answer for each of " + count + " events, got " + answers);
        }
        return answers;
    }

    GetResponse receive(String queue) throws IOException {
        GetResponse message = admin.basicGet(queue, true);
        if (message == null) {
            throw new AssertionError("the queue " + queue + " is empty");
        }
        return message;
    }

    @Override
    public void close() {
        publisher.close();
        broker.close();
        client.abort(2_000);
    }
}
