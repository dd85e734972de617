package io.outboxrelay.spring;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.micrometer.core.instrument.binder.MeterBinder;
import io.outboxrelay.client.ConsumerQueue;
import io.outboxrelay.client.IdempotentConsumer;
import io.outboxrelay.client.Inbox;
import io.outboxrelay.client.JsonEvents;
import io.outboxrelay.client.Outbox;
import io.outboxrelay.testservers.Servers;
import io.outboxrelay.testservers.TestDatabase;
import io.outboxrelay.testservers.TestVirtualHost;
import java.time.Duration;
import java.util.Map;
import java.util.UUID;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.SpringBootVersion;
import org.springframework.boot.actuate.health.Health;
import org.springframework.boot.actuate.health.HealthIndicator;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.transaction.PlatformTransactionManager;
import org.springframework.transaction.support.TransactionTemplate;

/** The starter, which was compiled for Spring Boot 4, in an application of Spring Boot 3. */
@Tag("server")
@EnabledIfSystemProperty(named = "spring.boot.3.version", matches = ".+")
class SpringBoot3Test {

    private TestDatabase database;
    private TestVirtualHost broker;

    @BeforeEach
    void create_a_database_with_a_table_and_a_virtual_host() {
        assertThat(SpringBootVersion.getVersion()).isEqualTo(System.getProperty("spring.boot.3.version"));
        database = Servers.postgres().newDatabase();
        new JdbcTemplate(database.dataSource()).execute("CREATE TABLE customers (id int)");
        broker = Servers.rabbitmq().newVirtualHost();
    }

    @AfterEach
    void drop_both() {
        broker.close();
        database.close();
    }

    @Test
    void an_application_publishes_and_consumes_and_its_database_sees_no_other_flyway() {
        try (ConfigurableApplicationContext application = start()) {
            IdempotentConsumer consumer = application.getBean(IdempotentConsumer.class);
            await().atMost(Duration.ofSeconds(60)).until(() -> consumer.state() == IdempotentConsumer.State.CONSUMING);

            UUID id = publish(application);

            JdbcTemplate jdbc = application.getBean(JdbcTemplate.class);
            assertThat(jdbc.queryForObject("SELECT event_id FROM outbox", UUID.class))
                    .isEqualTo(id);
            assertThat(application.getBean(Inbox.class).once("billing", id, () -> {}))
                    .isTrue();
            assertThat(jdbc.queryForList(
                            "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'",
                            String.class))
                    .doesNotContain("flyway_schema_history");
            assertThat(application.getBeansOfType(MeterBinder.class)).containsKey("idempotentConsumerMeters");
            Health healthy = Health.up()
                    .withDetail(
                            "billing",
                            Map.of(
                                    "state",
                                    IdempotentConsumer.State.CONSUMING,
                                    "queue",
                                    "billing.orders",
                                    "workers",
                                    3,
                                    "parked",
                                    0L))
                    .build();
            await().atMost(Duration.ofSeconds(60))
                    .until(() -> application.getBean(HealthIndicator.class).health(), healthy::equals);
        }
    }

    @Test
    void an_application_that_has_migrations_keeps_its_flyway_which_runs_before_the_outbox_is_installed() {
        new JdbcTemplate(database.dataSource()).execute("DROP TABLE customers");
        String locations = "--spring.flyway.locations=classpath:db/service";
        try (ConfigurableApplicationContext application = start(locations, "--spring.flyway.target=1")) {
            publish(application);
        }
        try (ConfigurableApplicationContext application = start(locations)) {
            assertThat(application
                            .getBean(JdbcTemplate.class)
                            .queryForList("SELECT script FROM flyway_schema_history ORDER BY 1", String.class))
                    .containsExactly("V1__orders.sql", "V2__orders_not_yet_published.sql");
        }
    }

    private static UUID publish(ConfigurableApplicationContext application) {
        return new TransactionTemplate(application.getBean(PlatformTransactionManager.class))
                .execute(status -> application
                        .getBean(Outbox.class)
                        .publish(application
                                .getBean(JsonEvents.class)
                                .eventType("OrderPlaced")
                                .aggregateType("Order")
                                .aggregateId("4711")
                                .payload(Map.of("total", 1250))));
    }

    private ConfigurableApplicationContext start(String... arguments) {
        SpringApplication application = new SpringApplication(Shop.class);
        application.setDefaultProperties(Map.of(
                "spring.datasource.url", database.jdbcUrl(),
                "spring.datasource.username", database.user(),
                "spring.datasource.password", database.password(),
                "spring.rabbitmq.host", broker.host(),
                "spring.rabbitmq.port", broker.port(),
                "spring.rabbitmq.username", broker.user(),
                "spring.rabbitmq.password", broker.password(),
                "spring.rabbitmq.virtual-host", broker.name(),
                "outbox.consumer.concurrency", 3,
                "outbox.schema.install", true));
        return application.run(arguments);
    }

    @Configuration(proxyBeanMethods = false)
    @EnableAutoConfiguration
    static class Shop {

        @Bean
        IdempotentConsumer billing(IdempotentConsumers consumers) {
            return consumers.consumer("billing", ConsumerQueue.named("billing.orders"), event -> {});
        }
    }
}
