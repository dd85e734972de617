package io.outboxrelay.spring;

import io.outboxrelay.client.Inbox;
import io.outboxrelay.client.Outbox;
import io.outboxrelay.schema.OutboxSchemaCallback;
import java.util.Objects;
import javax.sql.DataSource;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnProperty;
import org.springframework.boot.autoconfigure.condition.ConditionalOnSingleCandidate;
import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.boot.flyway.autoconfigure.FlywayMigrationInitializer;
import org.springframework.boot.jdbc.autoconfigure.DataSourceAutoConfiguration;
import org.springframework.boot.jdbc.autoconfigure.DataSourceTransactionManagerAutoConfiguration;
import org.springframework.boot.sql.init.dependency.DependsOnDatabaseInitialization;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.transaction.PlatformTransactionManager;

/** The beans of an application that has an outbox. */
@AutoConfiguration(
        after = {DataSourceAutoConfiguration.class, DataSourceTransactionManagerAutoConfiguration.class},
        // By name, because an application may do without them.
        afterName = {
            "org.springframework.boot.flyway.autoconfigure.FlywayAutoConfiguration",
            "org.springframework.boot.hibernate.autoconfigure.HibernateJpaAutoConfiguration"
        })
@ConditionalOnSingleCandidate(DataSource.class)
@EnableConfigurationProperties(OutboxProperties.class)
public class OutboxAutoConfiguration {

    /** Called by Spring. */
    OutboxAutoConfiguration() {}

    @Bean
    static TransactionManagersWatched outboxTransactionManagersWatched() {
        return new TransactionManagersWatched();
    }

    @Bean
    @ConditionalOnMissingBean
    @DependsOnDatabaseInitialization
    Outbox outbox(DataSource dataSource, OutboxProperties properties) {
        return new Outbox(dataSource, properties.schema().name());
    }

    @Bean
    @ConditionalOnMissingBean
    @ConditionalOnSingleCandidate(PlatformTransactionManager.class)
    @DependsOnDatabaseInitialization
    Inbox inbox(DataSource dataSource, PlatformTransactionManager transactions, OutboxProperties properties) {
        return new Inbox(dataSource, transactions, properties.schema().name())
                .withPurgeFloor(properties.inbox().purge().floor());
    }

    @Bean
    @ConditionalOnBean(Inbox.class)
    @ConditionalOnProperty("outbox.inbox.purge.older-than")
    InboxPurge inboxPurge(Inbox inbox, OutboxProperties properties) {
        OutboxProperties.Purge purge = properties.inbox().purge();
        return new InboxPurge(inbox, Objects.requireNonNull(purge.olderThan()), purge.every());
    }

    /** The application's own Flyway run installs the outbox on the way. */
    @Configuration(proxyBeanMethods = false)
    @ConditionalOnProperty("outbox.schema.install")
    @ConditionalOnClass(FlywayMigrationInitializer.class)
    @ConditionalOnBean(FlywayMigrationInitializer.class)
    static class InstallByTheApplicationsFlyway {

        @Bean
        @ConditionalOnMissingBean
        OutboxSchemaCallback outboxSchemaCallback(OutboxProperties properties) {
            return new OutboxSchemaCallback(properties.schema().description());
        }
    }

    /** There is no such run: the outbox is installed by itself. */
    @Configuration(proxyBeanMethods = false)
    @ConditionalOnProperty("outbox.schema.install")
    @ConditionalOnMissingBean(type = "org.springframework.boot.flyway.autoconfigure.FlywayMigrationInitializer")
    static class InstallByItself {

        @Bean
        @ConditionalOnMissingBean
        OutboxSchemaInitializer outboxSchemaInitializer(DataSource dataSource, OutboxProperties properties) {
            return new OutboxSchemaInitializer(dataSource, properties.schema().description());
        }
    }
}
