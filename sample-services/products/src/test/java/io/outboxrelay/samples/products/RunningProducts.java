package io.outboxrelay.samples.products;

import static org.awaitility.Awaitility.await;

import com.rabbitmq.client.AMQP;
import com.rabbitmq.client.Channel;
import com.rabbitmq.client.Connection;
import io.outboxrelay.client.IdempotentConsumer;
import io.outboxrelay.client.ReceivedEvent;
import io.outboxrelay.client.RoutingKey;
import io.outboxrelay.samples.chassis.Events;
import io.outboxrelay.schemas.encoding.EventEncoder;
import io.outboxrelay.testservers.DatabaseKind;
import io.outboxrelay.testservers.Servers;
import io.outboxrelay.testservers.ServiceDatabase;
import io.outboxrelay.testservers.TestVirtualHost;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.TimeoutException;
import org.apache.avro.specific.SpecificRecord;
import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.web.client.RestClient;

/** The service in this process, with a database and a virtual host of its own. */
final class RunningProducts implements AutoCloseable {

    static final Duration SOON = Duration.ofSeconds(30);

    private final ServiceDatabase database = ServiceDatabase.of("products", DatabaseKind.MARIADB);
    private final TestVirtualHost broker = Servers.rabbitmq().newVirtualHost();
    private final ConfigurableApplicationContext service = start();

    private ConfigurableApplicationContext start() {
        List<String> arguments = new ArrayList<>(database.arguments());
        arguments.add("--outbox.consumer.uri=" + broker.amqpUri());
        arguments.add("--shop.heartbeat=1h");
        return new SpringApplicationBuilder(ProductsService.class)
                .properties("spring.config.name=products")
                .run(arguments.toArray(String[]::new));
    }

    ServiceDatabase database() {
        return database;
    }

    <T> T bean(Class<T> type) {
        return service.getBean(type);
    }

    /** The database, seen by its owner. */
    JdbcClient admin() {
        return JdbcClient.create(database.database().dataSource());
    }

    String address() {
        return "http://localhost:" + service.getEnvironment().getRequiredProperty("local.server.port");
    }

    /** Answers of any status are answers. */
    RestClient http() {
        return RestClient.builder()
                .baseUrl(address())
                .defaultStatusHandler(status -> true, (request, response) -> {})
                .build();
    }

    /** What the service has written about an aggregate, in order. */
    List<SpecificRecord> told(String aggregateType, String aggregateId) {
        Events events = bean(Events.class);
        return admin()
                .sql("""
                        SELECT event_type, payload FROM outbox
                        WHERE aggregate_type = :type AND aggregate_id = :id ORDER BY position
                        """)
                .param("type", aggregateType)
                .param("id", aggregateId)
                .query((row, n) -> received(UUID.randomUUID(), row.getString(1), row.getBytes(2)))
                .stream()
                .map(event -> events.read(event).orElseThrow())
                .toList();
    }

    List<SpecificRecord> toldOfProduct(String productId) {
        return told(Products.AGGREGATE, productId);
    }

    List<SpecificRecord> toldOfOrder(String orderId) {
        return told(Stock.AGGREGATE, orderId);
    }

    /** What the consumer does with an event, in the caller's thread. */
    void handle(SpecificRecord event) {
        ReceivedEvent received = received(
                UUID.randomUUID(),
                event.getSchema().getName(),
                EventEncoder.singleObject().encode(event));
        consumer().deliver(received);
    }

    /** What a relay does with an event. */
    void deliver(UUID eventId, SpecificRecord event) throws IOException, TimeoutException {
        await().atMost(SOON).until(() -> consumer().state() == IdempotentConsumer.State.CONSUMING);
        AMQP.BasicProperties properties = new AMQP.BasicProperties.Builder()
                .messageId(eventId.toString())
                .type(event.getSchema().getName())
                .build();
        try (Connection connection = broker.connectionFactory().newConnection();
                Channel channel = connection.createChannel()) {
            channel.basicPublish(
                    "events",
                    RoutingKey.of("order", event.getSchema().getName()),
                    true,
                    properties,
                    EventEncoder.singleObject().encode(event));
        }
    }

    IdempotentConsumer consumer() {
        return bean(IdempotentConsumer.class);
    }

    @Override
    public void close() {
        service.close();
        broker.close();
        database.close();
    }

    private static ReceivedEvent received(UUID id, String type, byte[] payload) {
        return new ReceivedEvent(id, type, "", "", payload, null, Map.of(), null, false);
    }
}
