package io.outboxrelay.spring;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.rabbitmq.client.AMQP;
import io.outboxrelay.client.ConsumerQueue;
import io.outboxrelay.client.EventHandlers;
import io.outboxrelay.client.IdempotentConsumer;
import io.outboxrelay.client.JsonEvents;
import io.outboxrelay.client.Outbox;
import io.outboxrelay.testservers.Servers;
import io.outboxrelay.testservers.TestDatabase;
import io.outboxrelay.testservers.TestVirtualHost;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.hibernate.autoconfigure.HibernateJpaAutoConfiguration;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.jdbc.core.JdbcTemplate;

/** A small application as a user would write it, on real servers. */
@Tag("server")
class ApplicationTest {

    private static final Duration PATIENCE = Duration.ofSeconds(60);

    @Test
    void an_application_publishes_in_its_transactions_and_consumes_every_event_once() throws Exception {
        try (TestDatabase database = Servers.postgres().newDatabase();
                TestVirtualHost broker = Servers.rabbitmq().newVirtualHost()) {
            ConfigurableApplicationContext application = start(database, broker);
            JdbcTemplate jdbc = application.getBean(JdbcTemplate.class);
            IdempotentConsumer consumer = application.getBean(IdempotentConsumer.class);
            await().atMost(PATIENCE).until(() -> consumer.state() == IdempotentConsumer.State.CONSUMING);

            application.getBean(Orders.class).place("4711", 1250);
            Map<String, Object> written = jdbc.queryForMap("SELECT * FROM outbox");
            deliver(broker, written);
            deliver(broker, written);

            await().atMost(PATIENCE).until(() -> consumer.duplicatesDropped() == 1);
            assertThat(jdbc.queryForList("SELECT order_id || ' ' || total FROM invoice", String.class))
                    .containsExactly("4711 1250");

            application.close();
            assertThat(consumer.state()).isEqualTo(IdempotentConsumer.State.STOPPED);
        }
    }

    private static ConfigurableApplicationContext start(TestDatabase database, TestVirtualHost broker) {
        SpringApplication application = new SpringApplication(Shop.class);
        application.addInitializers(
                context -> context.getBeanFactory().registerSingleton("broker", broker.connectionFactory()));
        return application.run(
                "--spring.datasource.url=" + database.jdbcUrl(),
                "--spring.datasource.username=" + database.user(),
                "--spring.datasource.password=" + database.password(),
                "--spring.flyway.locations=classpath:db/service",
                "--spring.main.banner-mode=off",
                "--outbox.schema.install=true");
    }

    /** What a relay would do. */
    private static void deliver(TestVirtualHost broker, Map<String, Object> event) throws Exception {
        try (var connection = broker.connectionFactory().newConnection();
                var channel = connection.createChannel()) {
            AMQP.BasicProperties properties = new AMQP.BasicProperties.Builder()
                    .messageId(event.get("event_id").toString())
                    .type((String) event.get("event_type"))
                    .contentType((String) event.get("content_type"))
                    .build();
            channel.basicPublish("events", "order.placed", true, properties, (byte[]) event.get("payload"));
        }
    }

    @Configuration
    @EnableAutoConfiguration(exclude = HibernateJpaAutoConfiguration.class)
    static class Shop {

        @Bean
        Orders orders(JdbcTemplate jdbc, Outbox outbox, JsonEvents json) {
            return new Orders(jdbc, outbox, json);
        }

        @Bean
        Invoices invoices(JdbcTemplate jdbc) {
            return new Invoices(jdbc);
        }

        @Bean
        IdempotentConsumer billing(IdempotentConsumers consumers, JsonEvents json, Invoices invoices) {
            EventHandlers handlers = EventHandlers.reading(json)
                    .on("OrderPlaced", OrderPlaced.class, (placed, event) -> invoices.add(placed))
                    .on("OrderCancelled", event -> invoices.cancel(event.aggregateId()));
            ConsumerQueue queue = ConsumerQueue.named("billing.orders")
                    .boundToEvents("events", "Order", "OrderPlaced", "OrderCancelled");
            return consumers.consumer("billing", queue, handlers);
        }
    }
}
