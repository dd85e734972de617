package io.outboxrelay.spring;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.rabbitmq.client.AMQP;
import com.rabbitmq.client.ConnectionFactory;
import io.outboxrelay.client.ConsumerQueue;
import io.outboxrelay.client.IdempotentConsumer;
import io.outboxrelay.client.Inbox;
import io.outboxrelay.client.Outbox;
import io.outboxrelay.client.OutboxEvent;
import io.outboxrelay.testservers.Servers;
import io.outboxrelay.testservers.TestDatabase;
import io.outboxrelay.testservers.TestVirtualHost;
import java.time.Duration;
import java.util.UUID;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.hibernate.autoconfigure.HibernateJpaAutoConfiguration;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.transaction.annotation.Transactional;

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

            UUID event = application.getBean(Orders.class).place("4711");
            deliver(broker, event);
            deliver(broker, event);

            await().atMost(PATIENCE).until(() -> consumer.duplicatesDropped() == 1);
            assertThat(jdbc.queryForObject("SELECT event_id FROM outbox", UUID.class))
                    .isEqualTo(event);
            assertThat(jdbc.queryForList("SELECT order_id FROM invoice", String.class))
                    .containsExactly("4711");

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
    private static void deliver(TestVirtualHost broker, UUID event) throws Exception {
        try (var connection = broker.connectionFactory().newConnection();
                var channel = connection.createChannel()) {
            AMQP.BasicProperties properties = new AMQP.BasicProperties.Builder()
                    .messageId(event.toString())
                    .build();
            channel.basicPublish("events", "order.placed", true, properties, "4711".getBytes());
        }
    }

    @Configuration
    @EnableAutoConfiguration(exclude = HibernateJpaAutoConfiguration.class)
    static class Shop {

        @Bean
        Orders orders(JdbcTemplate jdbc, Outbox outbox) {
            return new Orders(jdbc, outbox);
        }

        @Bean
        IdempotentConsumer invoices(ConnectionFactory broker, Inbox inbox, JdbcTemplate jdbc) {
            jdbc.execute("CREATE TABLE invoice (order_id text)");
            return IdempotentConsumer.builder(broker, inbox)
                    .name("billing")
                    .queue(ConsumerQueue.named("billing.orders").boundTo("events", "order.*"))
                    .handler(event -> jdbc.update("INSERT INTO invoice VALUES (?)", new String(event.payload())))
                    .build();
        }
    }

    static class Orders {

        private final JdbcTemplate jdbc;
        private final Outbox outbox;

        Orders(JdbcTemplate jdbc, Outbox outbox) {
            this.jdbc = jdbc;
            this.outbox = outbox;
        }

        @Transactional
        public UUID place(String orderId) {
            jdbc.update("INSERT INTO orders VALUES (?)", orderId);
            return outbox.publish(OutboxEvent.eventType("OrderPlaced")
                    .aggregateType("order")
                    .aggregateId(orderId)
                    .payload(orderId.getBytes(), "text/plain"));
        }
    }
}
