package io.outboxrelay.test;

import com.rabbitmq.client.ConnectionFactory;
import io.outboxrelay.client.IdempotentConsumer;
import io.outboxrelay.client.Outbox;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;

/** The beans of a test. */
@AutoConfiguration(
        afterName = {"io.outboxrelay.spring.OutboxAutoConfiguration", "io.outboxrelay.spring.ConsumerAutoConfiguration"
        })
class OutboxTestAutoConfiguration {

    /** Called by Spring. */
    OutboxTestAutoConfiguration() {}

    @Bean
    @ConditionalOnMissingBean
    PublishedEvents publishedEvents(Outbox outbox) {
        return PublishedEvents.of(outbox);
    }

    /** Consumers need RabbitMQ's Java client. */
    @Configuration(proxyBeanMethods = false)
    @ConditionalOnClass(ConnectionFactory.class)
    static class OfConsumers {

        @Bean
        @ConditionalOnMissingBean
        EventDelivery eventDelivery(ObjectProvider<IdempotentConsumer> consumers) {
            return new EventDelivery(consumers.orderedStream().toList());
        }
    }
}
