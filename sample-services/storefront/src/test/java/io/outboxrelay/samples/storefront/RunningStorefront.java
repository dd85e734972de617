package io.outboxrelay.samples.storefront;

import static org.awaitility.Awaitility.await;

import com.rabbitmq.client.AMQP;
import com.rabbitmq.client.BuiltinExchangeType;
import com.rabbitmq.client.Channel;
import com.rabbitmq.client.Connection;
import io.outboxrelay.client.ConsumerQueue;
import io.outboxrelay.client.IdempotentConsumer;
import io.outboxrelay.client.ReceivedEvent;
import io.outboxrelay.client.RoutingKey;
import io.outboxrelay.testservers.DatabaseKind;
import io.outboxrelay.testservers.Servers;
import io.outboxrelay.testservers.ServiceDatabase;
import io.outboxrelay.testservers.TestVirtualHost;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeoutException;
import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.jdbc.core.simple.JdbcClient;

/** The whole service on a database and a virtual host of its own. */
final class RunningStorefront implements AutoCloseable {

    static final Duration SOON = Duration.ofSeconds(30);

    private static final HttpClient HTTP = HttpClient.newHttpClient();

    private final ServiceDatabase database;
    private final TestVirtualHost broker;
    private final Connection connection;
    private final Channel channel;
    private final ConfigurableApplicationContext service;

    private RunningStorefront(List<String> more) throws IOException, TimeoutException {
        database = ServiceDatabase.of("storefront", DatabaseKind.POSTGRESQL);
        broker = Servers.rabbitmq().newVirtualHost();
        connection = broker.connectionFactory().newConnection();
        channel = connection.createChannel();
        channel.confirmSelect();
        List<String> arguments = new ArrayList<>(database.arguments());
        arguments.add("--outbox.consumer.uri=" + broker.amqpUri());
        if (!Servers.rabbitmq().name().startsWith("rabbitmq")) {
            declareQueue();
            arguments.add("--shop.queues.declare=false");
        }
        arguments.addAll(more);
        service = new SpringApplicationBuilder(StorefrontService.class)
                .properties("spring.config.name=storefront")
                .run(arguments.toArray(String[]::new));
        await().atMost(SOON).until(() -> consumer().state() == IdempotentConsumer.State.CONSUMING);
    }

    static RunningStorefront start(String... arguments) throws IOException, TimeoutException {
        return new RunningStorefront(List.of(arguments));
    }

    /** Without any argument that only RabbitMQ knows. */
    private void declareQueue() throws IOException {
        String queue = StorefrontService.QUEUE.name();
        channel.queueDeclare(queue, true, false, false, Map.of());
        for (ConsumerQueue.Binding binding : StorefrontService.QUEUE.bindings()) {
            channel.exchangeDeclare(binding.exchange(), BuiltinExchangeType.TOPIC, true);
            channel.queueBind(queue, binding.exchange(), binding.routingKey());
        }
    }

    <T> T bean(Class<T> type) {
        return service.getBean(type);
    }

    IdempotentConsumer consumer() {
        return bean(IdempotentConsumer.class);
    }

    /** The database, seen by its owner. */
    JdbcClient owner() {
        return JdbcClient.create(database.database().dataSource());
    }

    ServiceDatabase database() {
        return database;
    }

    URI url() {
        return URI.create("http://localhost:" + service.getEnvironment().getProperty("local.server.port"));
    }

    HttpResponse<String> get(String path) throws IOException, InterruptedException {
        return HTTP.send(HttpRequest.newBuilder(url().resolve(path)).build(), HttpResponse.BodyHandlers.ofString());
    }

    HttpResponse<String> post(String path, String json) throws IOException, InterruptedException {
        return HTTP.send(
                HttpRequest.newBuilder(url().resolve(path))
                        .header("Content-Type", "application/json")
                        .POST(HttpRequest.BodyPublishers.ofString(json))
                        .build(),
                HttpResponse.BodyHandlers.ofString());
    }

    /** Publishes as the relay does. */
    void publish(TestEvent... events) throws IOException {
        for (TestEvent told : events) {
            publish(told.received());
        }
    }

    synchronized void publish(ReceivedEvent event) throws IOException {
        AMQP.BasicProperties properties = new AMQP.BasicProperties.Builder()
                .messageId(event.id().toString())
                .type(event.type())
                .contentType(event.contentType())
                .headers(Map.of("aggregate_type", event.aggregateType(), "aggregate_id", event.aggregateId()))
                .build();
        channel.basicPublish(
                "events", RoutingKey.of(event.aggregateType(), event.type()), true, properties, event.payload());
        try {
            channel.waitForConfirmsOrDie(SOON.toMillis());
        } catch (InterruptedException | TimeoutException e) {
            throw new IOException("%s was not confirmed".formatted(event), e);
        }
    }

    @Override
    public void close() throws IOException {
        service.close();
        connection.close();
        broker.close();
        database.close();
    }
}
