package io.outboxrelay.samples.storefront;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.rabbitmq.client.AMQP;
import com.rabbitmq.client.Channel;
import com.rabbitmq.client.Connection;
import io.outboxrelay.client.IdempotentConsumer;
import io.outboxrelay.samples.ServiceDatabase;
import io.outboxrelay.samples.contracts.OrderPaid;
import io.outboxrelay.samples.contracts.OrderPlaced;
import io.outboxrelay.schemas.encoding.EventEncoder;
import io.outboxrelay.testservers.Servers;
import io.outboxrelay.testservers.TestVirtualHost;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.TimeoutException;
import org.apache.avro.specific.SpecificRecord;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.context.ConfigurableApplicationContext;

class StorefrontTest {

    private static final Duration SOON = Duration.ofSeconds(30);

    private static ServiceDatabase database;
    private static TestVirtualHost broker;
    private static ConfigurableApplicationContext service;
    private static Connection connection;

    @BeforeAll
    static void start() throws IOException, TimeoutException {
        database = ServiceDatabase.empty("storefront");
        broker = Servers.rabbitmq().newVirtualHost();
        List<String> arguments = new ArrayList<>(database.arguments());
        arguments.add("--storefront.broker-uri=" + broker.amqpUri());
        arguments.add(
                "--storefront.queue-type=" + (Servers.rabbitmq().name().startsWith("rabbitmq") ? "quorum" : "classic"));
        service = new SpringApplicationBuilder(StorefrontService.class)
                .properties("spring.config.name=storefront")
                .run(arguments.toArray(String[]::new));
        connection = broker.connectionFactory().newConnection();
        await().atMost(SOON).until(() -> consumer().state() == IdempotentConsumer.State.CONSUMING);
    }

    @AfterAll
    static void stop() throws IOException {
        service.close();
        connection.close();
        broker.close();
        database.close();
    }

    private final OrderViews views = service.getBean(OrderViews.class);

    @Test
    void an_order_is_shown_as_its_events_tell() throws Exception {
        UUID order = UUID.randomUUID();
        publish(UUID.randomUUID(), placed(order, 1));
        publish(UUID.randomUUID(), paid(order, 2));

        await().atMost(SOON)
                .untilAsserted(() -> assertThat(views.find(order))
                        .contains(new OrderView(order, 2, "paid", "anna", "lamp", 1, 1_990L, 2)));
    }

    @Test
    void an_event_that_is_delivered_twice_is_applied_once_and_counted() throws Exception {
        long before = consumer().duplicatesDropped();
        UUID order = UUID.randomUUID();
        UUID event = UUID.randomUUID();
        publish(event, placed(order, 1));
        publish(event, placed(order, 1));

        await().atMost(SOON)
                .untilAsserted(() -> assertThat(consumer().duplicatesDropped()).isEqualTo(before + 1));
        assertThat(views.find(order))
                .hasValueSatisfying(view -> assertThat(view.eventsApplied()).isEqualTo(1));
    }

    @Test
    void a_version_that_is_not_the_next_of_its_order_is_noted() throws Exception {
        UUID order = UUID.randomUUID();
        publish(UUID.randomUUID(), placed(order, 1));
        publish(UUID.randomUUID(), paid(order, 3));

        await().atMost(SOON)
                .untilAsserted(() -> assertThat(database.admin()
                                .sql("SELECT version_expected, version_received FROM out_of_order WHERE order_id = ?")
                                .param(order)
                                .query()
                                .listOfRows())
                        .containsExactly(Map.of("version_expected", 2, "version_received", 3)));
    }

    private static IdempotentConsumer consumer() {
        return service.getBean(IdempotentConsumer.class);
    }

    private static void publish(UUID event, SpecificRecord body) throws IOException, TimeoutException {
        String type = body.getSchema().getName();
        AMQP.BasicProperties properties = new AMQP.BasicProperties.Builder()
                .messageId(event.toString())
                .type(type)
                .contentType(EventEncoder.CONTENT_TYPE)
                .build();
        try (Channel channel = connection.createChannel()) {
            channel.confirmSelect();
            channel.basicPublish(
                    "events",
                    "order." + type,
                    properties,
                    EventEncoder.singleObject().encode(body));
            channel.waitForConfirms();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private static OrderPlaced placed(UUID order, int version) {
        return OrderPlaced.newBuilder()
                .setOrderId(order.toString())
                .setOrderVersion(version)
                .setCustomerId("anna")
                .setItem("lamp")
                .setQuantity(1)
                .setAmountCents(1_990)
                .setPlacedAt(Instant.EPOCH)
                .build();
    }

    private static OrderPaid paid(UUID order, int version) {
        return OrderPaid.newBuilder()
                .setOrderId(order.toString())
                .setOrderVersion(version)
                .setAmountCents(1_990)
                .setPaidAt(Instant.EPOCH)
                .build();
    }
}
