package io.outboxrelay.spring;

import com.rabbitmq.client.ConnectionFactory;
import io.outboxrelay.client.IdempotentConsumer;
import io.outboxrelay.client.Inbox;
import java.net.URISyntaxException;
import java.security.GeneralSecurityException;
import java.util.Objects;
import javax.net.ssl.SSLContext;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnProperty;
import org.springframework.boot.autoconfigure.condition.ConditionalOnSingleCandidate;
import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.boot.health.contributor.HealthIndicator;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;

/** The beans of an application that consumes events, where RabbitMQ's Java client is on the class path. */
@AutoConfiguration(after = OutboxAutoConfiguration.class)
@ConditionalOnClass(ConnectionFactory.class)
@EnableConfigurationProperties(OutboxProperties.class)
public class ConsumerAutoConfiguration {

    /** Called by Spring. */
    ConsumerAutoConfiguration() {}

    @Bean
    @ConditionalOnMissingBean
    @ConditionalOnProperty("outbox.consumer.uri")
    ConnectionFactory outboxConsumerBroker(OutboxProperties properties) {
        ConnectionFactory factory = new ConnectionFactory();
        try {
            factory.setUri(Objects.requireNonNull(properties.consumer().uri()));
            if (factory.isSSL()) {
                // The client's own choice for amqps would trust whoever answers.
                factory.useSslProtocol(SSLContext.getDefault());
                factory.enableHostnameVerification();
            }
        } catch (URISyntaxException e) {
            // Neither the cause nor the value: the address holds a password.
            throw new IllegalArgumentException(
                    "outbox.consumer.uri is not an address such as amqp://user:password@host:5672/virtual-host: "
                            + e.getReason());
        } catch (GeneralSecurityException e) {
            throw new IllegalArgumentException(
                    "outbox.consumer.uri asks for TLS, but the runtime's trust store cannot be used: " + e.getMessage(),
                    e);
        }
        return factory;
    }

    @Bean
    @ConditionalOnMissingBean
    @ConditionalOnBean(Inbox.class)
    @ConditionalOnSingleCandidate(ConnectionFactory.class)
    IdempotentConsumers idempotentConsumers(ConnectionFactory broker, Inbox inbox, OutboxProperties properties) {
        return new IdempotentConsumers(broker, inbox, properties.consumer());
    }

    @Bean
    ConsumersLifecycle idempotentConsumersLifecycle(ObjectProvider<IdempotentConsumer> consumers) {
        return new ConsumersLifecycle(consumers);
    }

    /** Where the application reports its health. */
    @Configuration(proxyBeanMethods = false)
    @ConditionalOnClass(HealthIndicator.class)
    static class ReportHealth {

        @Bean
        @ConditionalOnMissingBean(name = "outboxConsumersHealthIndicator")
        HealthIndicator outboxConsumersHealthIndicator(ObjectProvider<IdempotentConsumer> consumers) {
            return new ConsumersHealth(consumers);
        }
    }
}
