package io.outboxrelay.samples.orders;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.rabbitmq.client.AMQP;
import com.rabbitmq.client.BuiltinExchangeType;
import com.rabbitmq.client.Channel;
import com.rabbitmq.client.Connection;
import io.outboxrelay.client.ConsumerQueue;
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
import org.apache.avro.generic.IndexedRecord;
import org.apache.avro.specific.SpecificRecord;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.core.ParameterizedTypeReference;
import org.springframework.http.HttpHeaders;
import org.springframework.http.HttpMethod;
import org.springframework.http.MediaType;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.web.client.RestClient;

/**
 * The orders service in this process, with a database and a virtual host of its own. The test plays everyone else: it
 * reads the outbox as the relay would, and delivers what other services would say.
 */
final class RunningOrders implements AutoCloseable {

    static final Duration SOON = Duration.ofSeconds(60);

    private final ServiceDatabase database = ServiceDatabase.of("orders", DatabaseKind.POSTGRESQL);
    private final TestVirtualHost broker = Servers.rabbitmq().newVirtualHost();
    private final List<ConfigurableApplicationContext> instances = new ArrayList<>();
    private final Connection connection;
    private final Channel channel;
    private final JdbcClient owner = JdbcClient.create(database.database().dataSource());

    /** An answer over HTTP whose body is an object. */
    record Answer(int status, HttpHeaders headers, Map<String, Object> body) {

        String detail() {
            return String.valueOf(body.get("detail"));
        }
    }

    private RunningOrders() throws IOException, TimeoutException {
        connection = broker.connectionFactory().newConnection();
        channel = connection.createChannel();
        channel.confirmSelect();
    }

    /** Starts one instance, and returns when it consumes. */
    static RunningOrders start(String... settings) throws IOException, TimeoutException {
        RunningOrders orders = new RunningOrders();
        orders.startAnotherInstance(settings);
        return orders;
    }

    ConfigurableApplicationContext startAnotherInstance(String... settings) throws IOException {
        List<String> arguments = new ArrayList<>(database.arguments());
        arguments.add("--outbox.consumer.uri=" + broker.amqpUri());
        if (!Servers.rabbitmq().name().startsWith("rabbitmq")) {
            declareClassic(OrdersService.SAGA_QUEUE);
            declareClassic(OrdersService.REPLICAS_QUEUE);
            arguments.add("--shop.queues.declare=false");
        }
        arguments.addAll(List.of(settings));
        ConfigurableApplicationContext started = new SpringApplicationBuilder(OrdersService.class)
                .properties("spring.config.name=orders")
                .run(arguments.toArray(String[]::new));
        instances.add(started);
        await().atMost(SOON)
                .until(() -> started.getBeansOfType(IdempotentConsumer.class).values().stream()
                        .allMatch(consumer -> consumer.state() == IdempotentConsumer.State.CONSUMING));
        return started;
    }

    private void declareClassic(ConsumerQueue queue) throws IOException {
        channel.queueDeclare(queue.name(), true, false, false, Map.of());
        for (ConsumerQueue.Binding binding : queue.bindings()) {
            channel.exchangeDeclare(binding.exchange(), BuiltinExchangeType.TOPIC, true);
            channel.queueBind(queue.name(), binding.exchange(), binding.routingKey());
        }
    }

    <T> T bean(Class<T> type) {
        return instances.get(0).getBean(type);
    }

    ServiceDatabase database() {
        return database;
    }

    /** The database as the owner of its tables sees it. */
    JdbcClient owner() {
        return owner;
    }

    RestClient http() {
        return RestClient.create(
                "http://localhost:" + instances.get(0).getEnvironment().getProperty("local.server.port"));
    }

    Answer get(String path) {
        return exchange(HttpMethod.GET, path, null);
    }

    Answer post(String path, Object body) {
        return exchange(HttpMethod.POST, path, body);
    }

    List<Map<String, Object>> list(String path) {
        return http().get().uri(path).retrieve().body(new ParameterizedTypeReference<>() {});
    }

    String text(String path) {
        return http().get().uri(path).retrieve().body(String.class);
    }

    private Answer exchange(HttpMethod method, String path, @Nullable Object body) {
        RestClient.RequestBodySpec request = http().method(method).uri(path);
        if (body != null) {
            request.contentType(MediaType.APPLICATION_JSON).body(body);
        }
        return request.exchange((asked, answered) -> {
            boolean empty = answered.getHeaders().getContentType() == null;
            Map<String, Object> object =
                    empty ? Map.of() : answered.bodyTo(new ParameterizedTypeReference<Map<String, Object>>() {});
            return new Answer(answered.getStatusCode().value(), answered.getHeaders(), object);
        });
    }

    /** Brings an event as the relay would, under a new id. */
    UUID deliver(String aggregateType, IndexedRecord event) {
        UUID eventId = UUID.randomUUID();
        deliver(eventId, aggregateType, event);
        return eventId;
    }

    synchronized void deliver(UUID eventId, String aggregateType, IndexedRecord event) {
        String type = event.getSchema().getName();
        AMQP.BasicProperties properties = new AMQP.BasicProperties.Builder()
                .messageId(eventId.toString())
                .type(type)
                .contentType(EventEncoder.CONTENT_TYPE)
                .build();
        try {
            channel.basicPublish(
                    "events",
                    RoutingKey.of(aggregateType, type),
                    properties,
                    EventEncoder.singleObject().encode(event));
            channel.waitForConfirmsOrDie(SOON.toMillis());
        } catch (IOException | InterruptedException | TimeoutException e) {
            throw new IllegalStateException("The event %s was not delivered".formatted(type), e);
        }
    }

    /** Brings an event, and returns when the service has dealt with it. */
    UUID deliverAndAwait(String aggregateType, IndexedRecord event) {
        UUID eventId = deliver(aggregateType, event);
        awaitHandled(eventId);
        return eventId;
    }

    void awaitHandled(UUID eventId) {
        await().atMost(SOON)
                .pollInterval(Duration.ofMillis(20))
                .until(() -> owner.sql("SELECT count(*) FROM inbox WHERE event_id = ?")
                                .param(eventId)
                                .query(Integer.class)
                                .single()
                        == 1);
    }

    /** The events of an order, in their order. */
    List<SpecificRecord> told(UUID orderId) {
        return owner.sql("SELECT event_type, payload FROM outbox"
                        + " WHERE aggregate_type = 'order' AND aggregate_id = ? ORDER BY position")
                .param(orderId.toString())
                .query((row, number) -> decode(row.getString("event_type"), row.getBytes("payload")))
                .list();
    }

    /** The same, in a word each. */
    List<String> toldTypes(UUID orderId) {
        return told(orderId).stream().map(event -> event.getSchema().getName()).toList();
    }

    SpecificRecord decode(String type, byte[] payload) {
        return bean(Events.class)
                .read(received(UUID.randomUUID(), type, payload))
                .orElseThrow();
    }

    /** An event as the service's consumers get it. */
    static ReceivedEvent received(UUID eventId, SpecificRecord event) {
        return received(
                eventId,
                event.getSchema().getName(),
                EventEncoder.singleObject().encode(event));
    }

    private static ReceivedEvent received(UUID eventId, String type, byte[] payload) {
        return new ReceivedEvent(eventId, type, "", "", payload, EventEncoder.CONTENT_TYPE, Map.of(), null, false);
    }

    Order order(UUID orderId) {
        return bean(Orders.class).find(orderId).orElseThrow().order();
    }

    void awaitState(UUID orderId, OrderState state) {
        await().atMost(SOON)
                .pollInterval(Duration.ofMillis(20))
                .untilAsserted(() -> assertThat(order(orderId).state()).isEqualTo(state));
    }

    /** Lets a customer and a product be known here. */
    void know(String customerId, String productId, long priceCents) {
        deliver("customer", SagaReply.customerRegistered(customerId, 1, "Anna", "anna@shop.example"));
        deliver("product", SagaReply.productAdded(productId, 1, "Lamp", priceCents));
        Replicas replicas = bean(Replicas.class);
        await().atMost(SOON)
                .until(() -> replicas.customer(customerId).isPresent()
                        && replicas.product(productId).isPresent());
    }

    /** Lets the time run out that an order has for an answer. */
    void expire(UUID orderId) {
        assertThat(owner.sql("UPDATE orders SET deadline = now() WHERE order_id = ? AND deadline IS NOT NULL")
                        .param(orderId)
                        .update())
                .isEqualTo(1);
    }

    @Override
    public void close() throws IOException {
        instances.forEach(ConfigurableApplicationContext::close);
        connection.close();
        broker.close();
        database.close();
    }
}
