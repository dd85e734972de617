package io.outboxrelay.spring;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.outboxrelay.client.Outbox;
import io.outboxrelay.client.OutboxEvent;
import io.outboxrelay.schema.OutboxSchema;
import io.outboxrelay.testservers.Servers;
import io.outboxrelay.testservers.TestDatabase;
import jakarta.persistence.Entity;
import jakarta.persistence.EntityListeners;
import jakarta.persistence.EntityManager;
import jakarta.persistence.EntityManagerFactory;
import jakarta.persistence.Id;
import jakarta.persistence.PostPersist;
import jakarta.persistence.Table;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.hibernate.autoconfigure.HibernateJpaAutoConfiguration;
import org.springframework.boot.jdbc.autoconfigure.DataSourceAutoConfiguration;
import org.springframework.boot.jdbc.autoconfigure.DataSourceTransactionManagerAutoConfiguration;
import org.springframework.boot.jdbc.autoconfigure.JdbcTemplateAutoConfiguration;
import org.springframework.boot.persistence.autoconfigure.EntityScan;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.boot.transaction.autoconfigure.TransactionAutoConfiguration;
import org.springframework.context.ApplicationContext;
import org.springframework.context.ApplicationEventPublisher;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Import;
import org.springframework.context.event.EventListener;
import org.springframework.core.annotation.Order;
import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.jdbc.datasource.lookup.AbstractRoutingDataSource;
import org.springframework.jdbc.support.JdbcTransactionManager;
import org.springframework.orm.jpa.JpaTransactionManager;
import org.springframework.orm.jpa.SharedEntityManagerCreator;
import org.springframework.transaction.PlatformTransactionManager;
import org.springframework.transaction.annotation.Propagation;
import org.springframework.transaction.annotation.Transactional;
import org.springframework.transaction.event.TransactionPhase;
import org.springframework.transaction.event.TransactionalEventListener;
import org.springframework.transaction.support.TransactionTemplate;

/** Where a Spring application may publish, with JDBC and with JPA on a pool that does not commit by itself. */
@Tag("server")
class EventListenersTest { // hazard 63

    private TestDatabase database;
    private ApplicationContextRunner jdbc;
    private ApplicationContextRunner jpa;

    @BeforeEach
    void create_a_database_with_an_outbox() {
        database = Servers.postgres().newDatabase();
        OutboxSchema.install(database.dataSource());
        new JdbcTemplate(database.dataSource()).execute("CREATE TABLE purchase (id text PRIMARY KEY)");
        jdbc = new ApplicationContextRunner()
                .withConfiguration(AutoConfigurations.of(
                        DataSourceAutoConfiguration.class,
                        TransactionAutoConfiguration.class,
                        DataSourceTransactionManagerAutoConfiguration.class,
                        JdbcTemplateAutoConfiguration.class,
                        OutboxAutoConfiguration.class))
                .withPropertyValues(
                        "spring.datasource.url=" + database.jdbcUrl(),
                        "spring.datasource.username=" + database.user(),
                        "spring.datasource.password=" + database.password(),
                        "spring.datasource.hikari.auto-commit=false",
                        "spring.datasource.hikari.maximum-pool-size=3");
        jpa = jdbc.withConfiguration(AutoConfigurations.of(HibernateJpaAutoConfiguration.class))
                .withPropertyValues(
                        "spring.jpa.hibernate.ddl-auto=none",
                        "spring.jpa.properties.hibernate.connection.provider_disables_autocommit=true")
                .withUserConfiguration(WithJpa.class);
    }

    @AfterEach
    void drop_the_database() {
        database.close();
    }

    @Test
    void a_listener_publishes_before_the_commit_and_is_refused_in_every_later_phase() {
        jdbc.withUserConfiguration(Shop.class).run(this::everyPhase);
    }

    @Test
    void a_listener_in_jpa_s_transaction_publishes_before_the_commit_and_is_refused_in_every_later_phase() {
        jpa.withUserConfiguration(Shop.class).run(context -> {
            assertThat(context).hasNotFailed().hasSingleBean(JpaTransactionManager.class);
            everyPhase(context);
        });
    }

    private void everyPhase(ApplicationContext context) {
        Shop shop = context.getBean(Shop.class);
        TransactionTemplate transaction = new TransactionTemplate(context.getBean(PlatformTransactionManager.class));

        transaction.executeWithoutResult(status -> shop.buy("1"));

        assertThat(shop.published)
                .containsExactly(
                        "EventListener", "BEFORE_COMMIT", "AFTER_COMMIT refused", "AFTER_COMPLETION refused", "new");
        assertThat(outbox()).containsExactlyInAnyOrder("EventListener", "BEFORE_COMMIT", "new");

        shop.published.clear();
        transaction.executeWithoutResult(status -> {
            shop.buy("2");
            status.setRollbackOnly();
        });

        assertThat(shop.published)
                .containsExactly("EventListener", "AFTER_ROLLBACK refused", "AFTER_COMPLETION refused");
        assertThat(outbox()).hasSize(3);
    }

    @Test
    void an_event_is_there_if_and_only_if_jpa_s_transaction_commits() {
        jpa.run(context -> {
            Outbox outbox = context.getBean(Outbox.class);
            EntityManager entities =
                    SharedEntityManagerCreator.createSharedEntityManager(context.getBean(EntityManagerFactory.class));
            TransactionTemplate transaction =
                    new TransactionTemplate(context.getBean(PlatformTransactionManager.class));

            transaction.executeWithoutResult(status -> {
                entities.persist(new Purchase("1"));
                outbox.publish(event("with the purchase"));
            });
            transaction.executeWithoutResult(status -> {
                entities.persist(new Purchase("2"));
                outbox.publish(event("rolled back"));
                entities.flush();
                status.setRollbackOnly();
            });

            assertThat(outbox()).containsExactly("with the purchase");
            assertThat(purchases()).containsExactly("1");
        });
    }

    @Test
    void an_entity_listener_publishes_in_a_flush_and_is_refused_in_that_of_the_commit_which_rolls_back() {
        jpa.withUserConfiguration(WithAnnouncer.class).run(context -> {
            assertThat(context).hasNotFailed();
            EntityManager entities =
                    SharedEntityManagerCreator.createSharedEntityManager(context.getBean(EntityManagerFactory.class));
            TransactionTemplate transaction =
                    new TransactionTemplate(context.getBean(PlatformTransactionManager.class));

            transaction.executeWithoutResult(status -> {
                entities.persist(new Announced("1"));
                entities.flush();
            });
            assertThatThrownBy(() -> transaction.executeWithoutResult(status -> entities.persist(new Announced("2"))))
                    .hasStackTraceContaining("Nothing was written")
                    .hasStackTraceContaining("while it was being committed");

            assertThat(outbox()).containsExactly("1");
            assertThat(purchases()).containsExactly("1");
        });
    }

    @Test
    void every_transaction_manager_of_the_application_counts_if_it_is_on_this_data_source() {
        jdbc.withUserConfiguration(SeveralManagers.class).run(context -> {
            assertThat(context).hasNotFailed().hasSingleBean(Outbox.class);
            Outbox outbox = context.getBean(Outbox.class);
            for (String manager : List.of("first", "second")) {
                new TransactionTemplate(context.getBean(manager, PlatformTransactionManager.class))
                        .executeWithoutResult(status -> outbox.publish(event(manager)));
            }
            assertThatThrownBy(
                            () -> new TransactionTemplate(context.getBean("stranger", PlatformTransactionManager.class))
                                    .executeWithoutResult(status -> outbox.publish(event("stranger"))))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("does not include this DataSource");

            assertThat(outbox()).containsExactly("first", "second");
        });
    }

    private List<String> outbox() {
        return new JdbcTemplate(database.dataSource())
                .queryForList("SELECT aggregate_id FROM outbox ORDER BY position", String.class);
    }

    private List<String> purchases() {
        return new JdbcTemplate(database.dataSource()).queryForList("SELECT id FROM purchase", String.class);
    }

    private static OutboxEvent event(String aggregateId) {
        return OutboxEvent.eventType("Bought")
                .aggregateType("purchase")
                .aggregateId(aggregateId)
                .payload(new byte[0], "text/plain");
    }

    record Bought(String id) {}

    /** Listens in every way, and notes what came of it. */
    @Configuration(proxyBeanMethods = false)
    @Import(InANewTransaction.class)
    static class Shop {

        private final List<String> published = new ArrayList<>();
        private final ApplicationEventPublisher events;
        private final Outbox outbox;
        private final InANewTransaction separately;

        Shop(ApplicationEventPublisher events, Outbox outbox, InANewTransaction separately) {
            this.events = events;
            this.outbox = outbox;
            this.separately = separately;
        }

        void buy(String id) {
            events.publishEvent(new Bought(id));
        }

        private void publish(String where) {
            try {
                outbox.publish(event(where));
                published.add(where);
            } catch (IllegalStateException e) {
                assertThat(e)
                        .hasMessageContaining("after the transaction")
                        .hasMessageContaining("@TransactionalEventListener(phase = TransactionPhase.BEFORE_COMMIT)");
                published.add(where + " refused");
            }
        }

        @EventListener
        void atOnce(Bought event) {
            publish("EventListener");
        }

        @TransactionalEventListener(phase = TransactionPhase.BEFORE_COMMIT)
        void before(Bought event) {
            publish("BEFORE_COMMIT");
        }

        @TransactionalEventListener
        @Order(1)
        void after(Bought event) {
            publish("AFTER_COMMIT");
        }

        @TransactionalEventListener(phase = TransactionPhase.AFTER_ROLLBACK)
        @Order(1)
        void afterRollback(Bought event) {
            publish("AFTER_ROLLBACK");
        }

        @TransactionalEventListener(phase = TransactionPhase.AFTER_COMPLETION)
        @Order(2)
        void afterCompletion(Bought event) {
            publish("AFTER_COMPLETION");
        }

        @TransactionalEventListener
        @Order(3)
        void afterCommitInANewTransaction(Bought event) {
            separately.run(() -> publish("new"));
        }
    }

    static class InANewTransaction {

        @Transactional(propagation = Propagation.REQUIRES_NEW)
        public void run(Runnable action) {
            action.run();
        }
    }

    @Entity(name = "purchase")
    static class Purchase {

        @Id
        private @Nullable String id;

        Purchase() {}

        Purchase(String id) {
            this.id = id;
        }
    }

    @Entity(name = "announced")
    @Table(name = "purchase")
    @EntityListeners(Announcer.class)
    static class Announced {

        @Id
        private @Nullable String id;

        Announced() {}

        Announced(String id) {
            this.id = id;
        }
    }

    static class Announcer {

        private final Outbox outbox;

        Announcer(Outbox outbox) {
            this.outbox = outbox;
        }

        @PostPersist
        void announce(Announced announced) {
            outbox.publish(event(String.valueOf(announced.id)));
        }
    }

    @Configuration(proxyBeanMethods = false)
    @EntityScan(basePackageClasses = EventListenersTest.class)
    static class WithJpa {}

    @Configuration(proxyBeanMethods = false)
    static class WithAnnouncer {

        @Bean
        Announcer announcer(Outbox outbox) {
            return new Announcer(outbox);
        }
    }

    @Configuration(proxyBeanMethods = false)
    static class SeveralManagers {

        @Bean
        PlatformTransactionManager first(DataSource dataSource) {
            return new JdbcTransactionManager(dataSource);
        }

        @Bean
        PlatformTransactionManager second(DataSource dataSource) {
            return new JdbcTransactionManager(dataSource);
        }

        /** A routing DataSource over the service's own may lead elsewhere. */
        @Bean
        PlatformTransactionManager stranger(DataSource dataSource) {
            AbstractRoutingDataSource routing = new AbstractRoutingDataSource() {
                @Override
                protected @Nullable Object determineCurrentLookupKey() {
                    return "north";
                }
            };
            routing.setTargetDataSources(Map.of("north", dataSource));
            routing.afterPropertiesSet();
            return new JdbcTransactionManager(routing);
        }
    }
}
