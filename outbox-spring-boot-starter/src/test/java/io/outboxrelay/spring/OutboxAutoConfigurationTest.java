package io.outboxrelay.spring;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.outboxrelay.client.Inbox;
import io.outboxrelay.client.Outbox;
import io.outboxrelay.client.OutboxEvent;
import io.outboxrelay.schema.OutboxSchema;
import io.outboxrelay.schema.OutboxSchemaCallback;
import io.outboxrelay.testservers.Servers;
import io.outboxrelay.testservers.TestDatabase;
import java.time.Duration;
import java.util.UUID;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.flyway.autoconfigure.FlywayAutoConfiguration;
import org.springframework.boot.jdbc.autoconfigure.DataSourceAutoConfiguration;
import org.springframework.boot.jdbc.autoconfigure.DataSourceTransactionManagerAutoConfiguration;
import org.springframework.boot.jdbc.autoconfigure.JdbcTemplateAutoConfiguration;
import org.springframework.boot.test.context.FilteredClassLoader;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;
import org.springframework.context.ApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.transaction.PlatformTransactionManager;
import org.springframework.transaction.support.TransactionTemplate;

@Tag("server")
class OutboxAutoConfigurationTest {

    private static final Duration PATIENCE = Duration.ofSeconds(60);

    private TestDatabase database;
    private ApplicationContextRunner application;

    @BeforeEach
    void create_an_empty_database() {
        database = Servers.postgres().newDatabase();
        application = new ApplicationContextRunner()
                .withConfiguration(AutoConfigurations.of(
                        DataSourceAutoConfiguration.class,
                        DataSourceTransactionManagerAutoConfiguration.class,
                        JdbcTemplateAutoConfiguration.class,
                        FlywayAutoConfiguration.class,
                        OutboxAutoConfiguration.class))
                .withPropertyValues(
                        "spring.datasource.url=" + database.jdbcUrl(),
                        "spring.datasource.username=" + database.user(),
                        "spring.datasource.password=" + database.password(),
                        "spring.flyway.enabled=false");
    }

    @AfterEach
    void drop_the_database() {
        database.close();
    }

    @Test
    @ExtendWith(OutputCaptureExtension.class)
    void outbox_and_inbox_are_there_and_nothing_is_installed_unasked(CapturedOutput output) {
        application.run(context -> {
            assertThat(output)
                    .containsOnlyOnce("ERROR")
                    .contains("No event can be published or consumed: there is no outbox in the schema 'public' of "
                            + database.jdbcUrl().replaceFirst("\\?.*", ""));
            assertThat(context).hasSingleBean(Outbox.class).hasSingleBean(Inbox.class);
            assertThat(context).doesNotHaveBean(InboxPurge.class);
            assertThat(OutboxSchema.defaults().version(database.dataSource())).isEmpty();
        });
    }

    @Test
    void the_schema_is_installed_before_any_bean_uses_the_database() {
        application
                .withPropertyValues("outbox.schema.install=true", "outbox.schema.name=shop", "outbox.schema.lanes=3")
                .withUserConfiguration(UsesTheDatabaseAtOnce.class)
                .run(context -> {
                    assertThat(context).hasNotFailed();
                    assertThat(jdbc(context).queryForObject("SELECT count(*) FROM shop.outbox_lane", Integer.class))
                            .isEqualTo(3);
                    UUID id = publish(context);
                    assertThat(jdbc(context).queryForObject("SELECT event_id FROM shop.outbox", UUID.class))
                            .isEqualTo(id);
                    assertThat(context.getBean(Inbox.class).once("billing", id, () -> {}))
                            .isTrue();
                });
    }

    @Test
    void with_the_applications_flyway_the_outbox_is_there_before_its_migrations_and_both_histories_are_whole() {
        application
                .withPropertyValues(
                        "outbox.schema.install=true",
                        "spring.flyway.enabled=true",
                        "spring.flyway.locations=classpath:db/service")
                .run(context -> {
                    assertThat(context).hasNotFailed().hasSingleBean(OutboxSchemaCallback.class);
                    assertThat(context).doesNotHaveBean(OutboxSchemaInitializer.class);
                    assertThat(jdbc(context)
                                    .queryForList("SELECT script FROM flyway_schema_history ORDER BY 1", String.class))
                            .containsExactly("V1__orders.sql", "V2__orders_not_yet_published.sql");
                    publish(context);
                });
        application
                .withPropertyValues(
                        "outbox.schema.install=true",
                        "spring.flyway.enabled=true",
                        "spring.flyway.locations=classpath:db/service")
                .run(context -> assertThat(context).as("a second start").hasNotFailed());
    }

    @Test
    void another_number_of_lanes_than_installed_stops_the_start() {
        OutboxSchema.install(database.dataSource());

        application
                .withPropertyValues("outbox.schema.install=true", "outbox.schema.lanes=16")
                .run(context ->
                        assertThat(context).getFailure().hasStackTraceContaining("has 8 lanes, but 16 are asked for"));
    }

    @Test
    void the_inbox_is_purged_while_the_application_runs() {
        OutboxSchema.install(database.dataSource());
        application
                .withPropertyValues("outbox.inbox.purge.older-than=30d", "outbox.inbox.purge.every=50ms")
                .run(context -> {
                    jdbc(context).update("""
                            INSERT INTO inbox VALUES
                                ('billing', gen_random_uuid(), clock_timestamp() - interval '31 days'),
                                ('billing', gen_random_uuid(), clock_timestamp() - interval '29 days')""");

                    await().atMost(PATIENCE)
                            .untilAsserted(() -> assertThat(
                                            jdbc(context).queryForObject("SELECT count(*) FROM inbox", Integer.class))
                                    .isOne());
                });
    }

    @Test
    void a_purge_below_the_floor_stops_the_start_and_names_both_properties() {
        application
                .withPropertyValues("outbox.inbox.purge.older-than=6d")
                .run(context -> assertThat(context)
                        .getFailure()
                        .hasStackTraceContaining("outbox.inbox.purge.older-than is PT144H")
                        .hasStackTraceContaining("outbox.inbox.purge.floor of PT168H"));
    }

    @Test
    void beans_of_the_application_win() {
        application.withUserConfiguration(OwnBeans.class).run(context -> {
            assertThat(context).hasSingleBean(Outbox.class).hasBean("ownOutbox");
            assertThat(context).hasSingleBean(Inbox.class).hasBean("ownInbox");
        });
    }

    @Test
    void without_a_data_source_without_flyway_or_without_the_brokers_client_the_application_starts() {
        new ApplicationContextRunner()
                .withConfiguration(AutoConfigurations.of(OutboxAutoConfiguration.class))
                .run(context -> assertThat(context).hasNotFailed().doesNotHaveBean(Outbox.class));
        new ApplicationContextRunner()
                .withConfiguration(AutoConfigurations.of(
                        DataSourceAutoConfiguration.class,
                        DataSourceTransactionManagerAutoConfiguration.class,
                        OutboxAutoConfiguration.class,
                        ConsumerAutoConfiguration.class))
                .withClassLoader(new FilteredClassLoader("com.rabbitmq", "org.springframework.boot.flyway"))
                .withPropertyValues(
                        "spring.datasource.url=" + database.jdbcUrl(),
                        "spring.datasource.username=" + database.user(),
                        "spring.datasource.password=" + database.password(),
                        "outbox.schema.install=true",
                        "outbox.consumer.uri=amqp://localhost")
                .run(context -> {
                    assertThat(context).hasNotFailed().doesNotHaveBean(ConsumersLifecycle.class);
                    publish(context);
                });
    }

    private static UUID publish(ApplicationContext context) {
        return new TransactionTemplate(context.getBean(PlatformTransactionManager.class))
                .execute(status -> context.getBean(Outbox.class)
                        .publish(OutboxEvent.eventType("OrderPlaced")
                                .aggregateType("order")
                                .aggregateId("1")
                                .payload(new byte[0], "text/plain")));
    }

    private static JdbcTemplate jdbc(ApplicationContext context) {
        return context.getBean(JdbcTemplate.class);
    }

    @Configuration(proxyBeanMethods = false)
    static class UsesTheDatabaseAtOnce {

        @Bean
        Integer lanes(JdbcTemplate jdbc) {
            Integer lanes = jdbc.queryForObject("SELECT count(*) FROM shop.outbox_lane", Integer.class);
            return lanes == null ? -1 : lanes;
        }
    }

    @Configuration(proxyBeanMethods = false)
    static class OwnBeans {

        @Bean
        Outbox ownOutbox(javax.sql.DataSource dataSource) {
            return new Outbox(dataSource, "elsewhere");
        }

        @Bean
        Inbox ownInbox(javax.sql.DataSource dataSource, PlatformTransactionManager transactions) {
            return new Inbox(dataSource, transactions, "elsewhere");
        }
    }
}
