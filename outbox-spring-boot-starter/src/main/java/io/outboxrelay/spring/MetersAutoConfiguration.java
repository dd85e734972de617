package io.outboxrelay.spring;

import com.rabbitmq.client.ConnectionFactory;
import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.binder.MeterBinder;
import io.outboxrelay.client.IdempotentConsumer;
import io.outboxrelay.client.Outbox;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnProperty;
import org.springframework.boot.autoconfigure.condition.ConditionalOnSingleCandidate;
import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;

/** The meters of outbox, inbox and consumers, where Micrometer is on the class path. Spring Boot registers them. */
@AutoConfiguration(after = {OutboxAutoConfiguration.class, ConsumerAutoConfiguration.class})
@ConditionalOnClass(MeterBinder.class)
@EnableConfigurationProperties(OutboxProperties.class)
public class MetersAutoConfiguration {

    /** Called by Spring. */
    MetersAutoConfiguration() {}

    @Bean
    @ConditionalOnMissingBean
    @ConditionalOnSingleCandidate(Outbox.class)
    @ConditionalOnProperty("outbox.metrics.backlog")
    OutboxMeters outboxMeters(Outbox outbox, OutboxProperties properties) {
        return new OutboxMeters(outbox, properties.metrics().every());
    }

    @Bean
    @ConditionalOnBean(InboxPurge.class)
    MeterBinder inboxMeters(InboxPurge purge) {
        return registry -> FunctionCounter.builder("outbox.inbox.purged", purge, InboxPurge::purged)
                .description("Inbox entries that this application has deleted because of their age")
                .register(registry);
    }

    /** Consumers need RabbitMQ's Java client. */
    @Configuration(proxyBeanMethods = false)
    @ConditionalOnClass(ConnectionFactory.class)
    static class OfConsumers {

        @Bean
        MeterBinder idempotentConsumerMeters(
                ObjectProvider<IdempotentConsumer> consumers, ObjectProvider<StoredEvents> stored) {
            return new ConsumerMeters(consumers, stored.getIfAvailable());
        }
    }
}
