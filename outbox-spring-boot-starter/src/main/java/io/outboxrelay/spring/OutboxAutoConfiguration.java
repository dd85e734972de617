package io.outboxrelay.spring;

import io.outboxrelay.client.Inbox;
import io.outboxrelay.client.Outbox;
import io.outboxrelay.schema.OutboxSchemaCallback;
import java.util.Objects;
import org.springframework.beans.factory.ListableBeanFactory;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.AnyNestedCondition;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnProperty;
import org.springframework.boot.autoconfigure.condition.NoneNestedConditions;
import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.boot.sql.init.dependency.DependsOnDatabaseInitialization;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Conditional;
import org.springframework.context.annotation.Configuration;

/** The beans of an application that has an outbox. */
@AutoConfiguration(
        // By name, because an application may do without them, and because Spring Boot 3 has them elsewhere.
        afterName = {
            "org.springframework.boot.jdbc.autoconfigure.DataSourceAutoConfiguration",
            "org.springframework.boot.jdbc.autoconfigure.DataSourceTransactionManagerAutoConfiguration",
            "org.springframework.boot.flyway.autoconfigure.FlywayAutoConfiguration",
            "org.springframework.boot.hibernate.autoconfigure.HibernateJpaAutoConfiguration",
            "org.springframework.boot.autoconfigure.jdbc.DataSourceAutoConfiguration",
            "org.springframework.boot.autoconfigure.jdbc.DataSourceTransactionManagerAutoConfiguration",
            "org.springframework.boot.autoconfigure.flyway.FlywayAutoConfiguration",
            "org.springframework.boot.autoconfigure.orm.jpa.HibernateJpaAutoConfiguration"
        })
@Conditional(ChosenBean.OfDataSources.class)
@EnableConfigurationProperties(OutboxProperties.class)
public class OutboxAutoConfiguration {

    /** In Spring Boot 4. */
    private static final String FLYWAY = "org.springframework.boot.flyway.autoconfigure.FlywayMigrationInitializer";

    /** Called by Spring. */
    OutboxAutoConfiguration() {}

    @Bean
    static TransactionManagersWatched outboxTransactionManagersWatched() {
        return new TransactionManagersWatched();
    }

    @Bean
    @ConditionalOnMissingBean
    @DependsOnDatabaseInitialization
    Outbox outbox(ListableBeanFactory beans, OutboxProperties properties) {
        return new Outbox(
                ChosenBean.dataSource(beans, properties), properties.schema().name());
    }

    @Bean
    @ConditionalOnMissingBean
    @Conditional(ChosenBean.OfTransactionManagers.class)
    @DependsOnDatabaseInitialization
    Inbox inbox(ListableBeanFactory beans, OutboxProperties properties) {
        return new Inbox(
                        ChosenBean.dataSource(beans, properties),
                        ChosenBean.transactionManager(beans, properties),
                        properties.schema().name())
                .withPurgeFloor(properties.inbox().purge().floor());
    }

    @Bean
    TablesCheck outboxTablesCheck(ObjectProvider<Outbox> outboxes, ObjectProvider<Inbox> inboxes) {
        return new TablesCheck(outboxes, inboxes);
    }

    @Bean
    @ConditionalOnBean(Inbox.class)
    @ConditionalOnProperty("outbox.inbox.purge.older-than")
    InboxPurge inboxPurge(Inbox inbox, OutboxProperties properties) {
        OutboxProperties.Purge purge = properties.inbox().purge();
        return new InboxPurge(inbox, Objects.requireNonNull(purge.olderThan()), purge.every());
    }

    /** The application's own Flyway run installs the outbox on the way, if that is for the same data source. */
    @Configuration(proxyBeanMethods = false)
    @ConditionalOnProperty("outbox.schema.install")
    @Conditional(NoDataSourceNamed.class)
    @ConditionalOnBean(type = FLYWAY)
    static class InstallByTheApplicationsFlyway {

        @Bean
        @ConditionalOnMissingBean
        OutboxSchemaCallback outboxSchemaCallback(OutboxProperties properties) {
            return new OutboxSchemaCallback(properties.schema().description());
        }
    }

    /** The outbox is installed by itself. */
    @Configuration(proxyBeanMethods = false)
    @ConditionalOnProperty("outbox.schema.install")
    @Conditional(NothingElseInstalls.class)
    static class InstallByItself {

        @Bean
        @ConditionalOnMissingBean
        OutboxSchemaInitializer outboxSchemaInitializer(ListableBeanFactory beans, OutboxProperties properties) {
            return new OutboxSchemaInitializer(
                    ChosenBean.dataSource(beans, properties),
                    properties.schema().description());
        }
    }

    /**
     * Another data source is named, there is no Flyway, or it is that of Spring Boot 3, which knows no such callback.
     */
    static final class NothingElseInstalls extends AnyNestedCondition {

        NothingElseInstalls() {
            super(ConfigurationPhase.REGISTER_BEAN);
        }

        @ConditionalOnProperty(ChosenBean.DATA_SOURCE)
        static class Named {}

        @ConditionalOnMissingBean(type = FLYWAY)
        static class WithoutFlyway {}
    }

    /** Nothing but the application's one or primary data source can be meant. */
    static final class NoDataSourceNamed extends NoneNestedConditions {

        NoDataSourceNamed() {
            super(ConfigurationPhase.REGISTER_BEAN);
        }

        @ConditionalOnProperty(ChosenBean.DATA_SOURCE)
        static class Named {}
    }
}
