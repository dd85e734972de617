package io.outboxrelay.spring;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.rabbitmq.client.AMQP;
import com.rabbitmq.client.Channel;
import com.rabbitmq.client.Connection;
import com.rabbitmq.client.ConnectionFactory;
import io.outboxrelay.client.ConsumerQueue;
import io.outboxrelay.client.EventHandler;
import io.outboxrelay.client.EventHandlers;
import io.outboxrelay.client.IdempotentConsumer;
import io.outboxrelay.client.JsonEvents;
import io.outboxrelay.schema.OutboxSchema;
import io.outboxrelay.testservers.Servers;
import io.outboxrelay.testservers.TestDatabase;
import io.outboxrelay.testservers.TestVirtualHost;
import java.time.Duration;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.jackson.autoconfigure.JacksonAutoConfiguration;
import org.springframework.boot.jdbc.autoconfigure.DataSourceAutoConfiguration;
import org.springframework.boot.jdbc.autoconfigure.DataSourceTransactionManagerAutoConfiguration;
import org.springframework.boot.jdbc.autoconfigure.JdbcTemplateAutoConfiguration;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.context.ApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.jdbc.core.JdbcTemplate;

/** The consumers of the page about consumers, on real servers. */
@Tag("server")
class ConsumersPageTest {

    private static final Duration PATIENCE = Duration.ofSeconds(60);

    private static final int AGGREGATES = 20;
    private static final int EVENTS_OF_EACH = 10;
    private static final int EVENTS = AGGREGATES * EVENTS_OF_EACH;

    @Test
    void the_consumers_of_the_page_handle_every_event_once_and_those_of_an_aggregate_in_order() {
        try (TestDatabase database = Servers.postgres().newDatabase();
                TestVirtualHost broker = Servers.rabbitmq().newVirtualHost()) {
            OutboxSchema.install(database.dataSource());
            JdbcTemplate jdbc = new JdbcTemplate(database.dataSource());
            jdbc.execute("CREATE TABLE invoice (n bigint GENERATED ALWAYS AS IDENTITY, order_id text, total int)");
            jdbc.execute("CREATE TABLE ledger (order_id text, event_id uuid)");
            application(database, broker, Shop.class).run(context -> {
                consuming(context, "billing");
                consuming(context, "ledger");
                consuming(context, "shipping");
                publish(broker);
                awaitHandled(context);

                assertThat(jdbc.queryForList("SELECT DISTINCT order_id FROM invoice", String.class))
                        .hasSize(AGGREGATES)
                        .allSatisfy(order -> assertThat(jdbc.queryForList(
                                        "SELECT total FROM invoice WHERE order_id = ? ORDER BY n",
                                        Integer.class,
                                        order))
                                .containsExactly(0, 1, 2, 3, 4, 5, 6, 7, 8, 9));
                assertThat(jdbc.queryForObject("SELECT count(DISTINCT event_id) FROM ledger", Integer.class))
                        .isEqualTo(EVENTS);
                assertThat(context.getBean(Carrier.class).asked.get())
                        .as("once more, without an attempt")
                        .isEqualTo(EVENTS + 1);
            });
        }
    }

    @Test
    void a_consumer_that_starts_late_waits_for_its_history_until_it_is_told_to_forget_it() {
        try (TestDatabase database = Servers.postgres().newDatabase();
                TestVirtualHost broker = Servers.rabbitmq().newVirtualHost()) {
            OutboxSchema.install(database.dataSource());
            ApplicationContextRunner application = application(database, broker, Late.class);
            application.run(context -> {
                IdempotentConsumer billing = context.getBean(IdempotentConsumer.class);
                consuming(context, "billing");
                assertThat(billing.isCatchingUp()).isTrue();
                endHistory(broker);
                await().atMost(PATIENCE).until(() -> !billing.isCatchingUp());
            });
            application.run(context -> {
                consuming(context, "billing");
                assertThat(context.getBean(IdempotentConsumer.class).isCatchingUp())
                        .isFalse();
            });

            new JdbcTemplate(database.dataSource()).execute("""
                    -- here: undo the effects, for example DELETE FROM invoice
                    DELETE FROM inbox WHERE consumer = 'billing';
                    DELETE FROM inbox_failure WHERE consumer = 'billing';
                    DELETE FROM inbox_history WHERE consumer = 'billing';
                    """);

            application.run(
                    context -> await().atMost(PATIENCE).until(context.getBean(IdempotentConsumer.class)::isCatchingUp));
        }
    }

    /** What {@code outbox-relay subscribe} would do once the history is there. */
    private static void endHistory(TestVirtualHost broker) throws Exception {
        try (Connection connection = broker.connectionFactory().newConnection();
                Channel channel = connection.createChannel()) {
            AMQP.BasicProperties properties = new AMQP.BasicProperties.Builder()
                    .messageId(UUID.randomUUID().toString())
                    .headers(Map.of("outbox_history_end", true))
                    .build();
            channel.basicPublish("billing.orders.history.end", "", true, properties, new byte[0]);
        }
    }

    private static ApplicationContextRunner application(
            TestDatabase database, TestVirtualHost broker, Class<?> configuration) {
        return new ApplicationContextRunner()
                .withConfiguration(AutoConfigurations.of(
                        DataSourceAutoConfiguration.class,
                        DataSourceTransactionManagerAutoConfiguration.class,
                        JdbcTemplateAutoConfiguration.class,
                        JacksonAutoConfiguration.class,
                        OutboxAutoConfiguration.class,
                        JsonAutoConfiguration.class,
                        ConsumerAutoConfiguration.class))
                .withBean(ConnectionFactory.class, broker::connectionFactory)
                .withUserConfiguration(configuration)
                .withPropertyValues(
                        "spring.datasource.url=" + database.jdbcUrl(),
                        "spring.datasource.username=" + database.user(),
                        "spring.datasource.password=" + database.password());
    }

    private static void consuming(ApplicationContext context, String name) {
        IdempotentConsumer consumer = context.getBean(name, IdempotentConsumer.class);
        await().atMost(PATIENCE).until(() -> consumer.state() == IdempotentConsumer.State.CONSUMING);
    }

    private static void awaitHandled(ApplicationContext context) {
        context.getBeansOfType(IdempotentConsumer.class).forEach((name, consumer) -> {
            await(name).atMost(PATIENCE).until(() -> consumer.handled() == EVENTS);
            assertThat(consumer.parked()).isZero();
        });
    }

    /** What a relay would do. */
    private static void publish(TestVirtualHost broker) throws Exception {
        try (Connection connection = broker.connectionFactory().newConnection();
                Channel channel = connection.createChannel()) {
            channel.confirmSelect();
            for (int n = 0; n < EVENTS; n++) {
                int order = n % AGGREGATES;
                AMQP.BasicProperties properties = new AMQP.BasicProperties.Builder()
                        .messageId(UUID.randomUUID().toString())
                        .type("OrderPlaced")
                        .contentType("application/json")
                        .headers(Map.of(
                                "aggregate_type", "Order", "aggregate_id", "order-" + order, "outbox_lane", order % 8))
                        .build();
                String payload = "{\"orderId\": \"order-%d\", \"total\": %d}".formatted(order, n / AGGREGATES);
                channel.basicPublish("events", "order.placed", true, properties, payload.getBytes());
            }
            channel.waitForConfirmsOrDie(TimeUnit.SECONDS.toMillis(60));
        }
    }

    /** Another service, which is busy the first time. */
    static final class Carrier {

        private final AtomicInteger asked = new AtomicInteger();

        void announce(String orderId) {
            if (asked.getAndIncrement() == 0) {
                throw new CarrierBusyException(orderId);
            }
        }
    }

    static final class CarrierBusyException extends RuntimeException {

        CarrierBusyException(String orderId) {
            super("no time for " + orderId);
        }
    }

    @Configuration(proxyBeanMethods = false)
    static class Shop {

        @Bean
        Carrier carrier() {
            return new Carrier();
        }

        @Bean
        IdempotentConsumer billing(IdempotentConsumers consumers, JsonEvents json, JdbcTemplate jdbc) {
            EventHandlers handlers = EventHandlers.reading(json)
                    .on(
                            "OrderPlaced",
                            OrderPlaced.class,
                            (placed, event) -> jdbc.update(
                                    "INSERT INTO invoice (order_id, total) VALUES (?, ?)",
                                    placed.orderId(),
                                    placed.total()));
            ConsumerQueue queue = ConsumerQueue.named("billing.orders")
                    .boundToEvents("events", "Order", "OrderPlaced")
                    .partitions(8);
            return consumers
                    .builder()
                    .name("billing")
                    .queue(queue)
                    .concurrency(4)
                    .handler(handlers)
                    .build();
        }

        @Bean
        IdempotentConsumer ledger(IdempotentConsumers consumers, JdbcTemplate jdbc) {
            ConsumerQueue queue = ConsumerQueue.named("ledger.orders").boundToEvents("events", "Order");
            return consumers
                    .builder()
                    .name("ledger")
                    .queue(queue)
                    .batch(500)
                    .batchHandler(events -> jdbc.batchUpdate(
                            "INSERT INTO ledger (order_id, event_id) VALUES (?, ?)",
                            events,
                            events.size(),
                            (row, event) -> {
                                row.setString(1, event.aggregateId());
                                row.setObject(2, event.id());
                            }))
                    .build();
        }

        @Bean
        IdempotentConsumer shipping(IdempotentConsumers consumers, Carrier carrier) {
            ConsumerQueue queue = ConsumerQueue.named("shipping.orders").boundToEvents("events", "Order");
            return consumers
                    .builder()
                    .name("shipping")
                    .queue(queue)
                    .batch(1)
                    .attempts(1)
                    .transientFailures(failure -> failure instanceof CarrierBusyException)
                    .handler(event -> carrier.announce(event.aggregateId()))
                    .build();
        }
    }

    @Configuration(proxyBeanMethods = false)
    static class Late {

        @Bean
        EventHandler handlers() {
            return event -> {};
        }

        @Bean
        IdempotentConsumer billing(IdempotentConsumers consumers, EventHandler handlers) {
            ConsumerQueue queue = ConsumerQueue.named("billing.orders")
                    .boundToEvents("events", "Order")
                    .catchUp();
            return consumers.consumer("billing", queue, handlers);
        }
    }
}
