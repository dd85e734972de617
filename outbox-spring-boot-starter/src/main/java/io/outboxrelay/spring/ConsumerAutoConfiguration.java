package io.outboxrelay.spring;

import com.rabbitmq.client.Address;
import com.rabbitmq.client.ConnectionFactory;
import com.zaxxer.hikari.HikariDataSource;
import io.outboxrelay.client.IdempotentConsumer;
import io.outboxrelay.client.Inbox;
import java.net.URISyntaxException;
import java.security.GeneralSecurityException;
import java.util.List;
import java.util.Objects;
import javax.net.ssl.SSLContext;
import org.springframework.amqp.rabbit.connection.AbstractConnectionFactory;
import org.springframework.beans.factory.ListableBeanFactory;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.boot.amqp.autoconfigure.RabbitConnectionDetails;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnProperty;
import org.springframework.boot.autoconfigure.condition.ConditionalOnSingleCandidate;
import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.boot.health.contributor.HealthIndicator;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Conditional;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Lazy;
import org.springframework.core.annotation.Order;

/** The beans of an application that consumes events, where RabbitMQ's Java client is on the class path. */
@AutoConfiguration(
        after = OutboxAutoConfiguration.class,
        afterName = {
            "org.springframework.boot.amqp.autoconfigure.RabbitAutoConfiguration",
            "org.springframework.boot.autoconfigure.amqp.RabbitAutoConfiguration"
        })
@ConditionalOnClass(ConnectionFactory.class)
@EnableConfigurationProperties(OutboxProperties.class)
public class ConsumerAutoConfiguration {

    /** Called by Spring. */
    ConsumerAutoConfiguration() {}

    /** The broker of {@code outbox.consumer.uri}. */
    @Order(1)
    @Configuration(proxyBeanMethods = false)
    @ConditionalOnProperty("outbox.consumer.uri")
    @ConditionalOnMissingBean(ConnectionFactory.class)
    static class BrokerOfTheAddress {

        @Bean
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
                        "outbox.consumer.uri asks for TLS, but the runtime's trust store cannot be used: "
                                + e.getMessage(),
                        e);
            }
            return factory;
        }
    }

    /**
     * The broker of {@code spring.rabbitmq.*}, of a service connection or of Docker Compose: whatever Spring Boot, or
     * the application, has made Spring AMQP's factory of, with its TLS and all its other settings.
     */
    @Order(2)
    @Configuration(proxyBeanMethods = false)
    @ConditionalOnClass(AbstractConnectionFactory.class)
    @ConditionalOnSingleCandidate(org.springframework.amqp.rabbit.connection.ConnectionFactory.class)
    @ConditionalOnMissingBean(ConnectionFactory.class)
    static class BrokerOfSpringAmqp {

        /** Made when a consumer needs it: a factory of another kind is no fault of an application without consumers. */
        @Bean
        @Lazy
        ConnectionFactory outboxConsumerBroker(org.springframework.amqp.rabbit.connection.ConnectionFactory broker) {
            if (broker instanceof AbstractConnectionFactory known) {
                return known.getRabbitConnectionFactory();
            }
            throw new IllegalStateException("The connection factory of Spring AMQP is a "
                    + broker.getClass().getName() + ", which does not say where its broker is: set"
                    + " outbox.consumer.uri, or declare a bean of type " + ConnectionFactory.class.getName());
        }
    }

    /** Spring AMQP's factory does not say which nodes it knows. Spring Boot 3 has this type elsewhere. */
    @Configuration(proxyBeanMethods = false)
    @ConditionalOnClass(RabbitConnectionDetails.class)
    @ConditionalOnSingleCandidate(RabbitConnectionDetails.class)
    static class NodesOfSpringBoot {

        @Bean
        BrokerNodes outboxConsumerBrokerNodes(RabbitConnectionDetails details) {
            return new BrokerNodes(details.getAddresses().stream()
                    .map(node -> new Address(node.host(), node.port()))
                    .toList());
        }
    }

    @Bean
    @Lazy
    @ConditionalOnMissingBean
    @ConditionalOnBean(Inbox.class)
    @ConditionalOnSingleCandidate(ConnectionFactory.class)
    IdempotentConsumers idempotentConsumers(
            ConnectionFactory broker, ObjectProvider<BrokerNodes> nodes, Inbox inbox, OutboxProperties properties) {
        List<Address> addresses =
                nodes.stream().flatMap(known -> known.of(broker).stream()).toList();
        return new IdempotentConsumers(broker, addresses, inbox, properties.consumer());
    }

    @Bean
    ConsumersLifecycle idempotentConsumersLifecycle(
            ObjectProvider<IdempotentConsumer> consumers,
            ObjectProvider<PoolCheck> poolCheck,
            OutboxProperties properties) {
        return new ConsumersLifecycle(
                consumers, poolCheck, properties.consumer().start());
    }

    @Bean
    @ConditionalOnProperty(name = "outbox.metrics.stored-events", matchIfMissing = true)
    StoredEvents outboxStoredEvents(ObjectProvider<IdempotentConsumer> consumers, OutboxProperties properties) {
        return new StoredEvents(consumers, properties.metrics().every());
    }

    /** Where the pool of connections may be one that says its size. */
    @Configuration(proxyBeanMethods = false)
    @ConditionalOnClass(HikariDataSource.class)
    @Conditional(ChosenBean.OfDataSources.class)
    static class CheckPool {

        @Bean
        PoolCheck outboxConsumersPoolCheck(ListableBeanFactory beans, OutboxProperties properties) {
            return new PoolCheck(ChosenBean.dataSource(beans, properties));
        }
    }

    /** Where the application reports its health. */
    @Configuration(proxyBeanMethods = false)
    @ConditionalOnClass(HealthIndicator.class)
    static class ReportHealth {

        @Bean
        @ConditionalOnMissingBean(name = "outboxConsumersHealthIndicator")
        HealthIndicator outboxConsumersHealthIndicator(
                ObjectProvider<IdempotentConsumer> consumers, ObjectProvider<StoredEvents> stored) {
            return new ConsumersHealth(consumers, stored);
        }
    }

    /** Where an application of Spring Boot 3 does. */
    @Configuration(proxyBeanMethods = false)
    @ConditionalOnClass(org.springframework.boot.actuate.health.HealthIndicator.class)
    @ConditionalOnMissingClass("org.springframework.boot.health.contributor.HealthIndicator")
    static class ReportHealthOfBoot3 {

        @Bean
        @ConditionalOnMissingBean(name = "outboxConsumersHealthIndicator")
        org.springframework.boot.actuate.health.HealthIndicator outboxConsumersHealthIndicator(
                ObjectProvider<IdempotentConsumer> consumers, ObjectProvider<StoredEvents> stored) {
            return new ConsumersHealthOfBoot3(consumers, stored);
        }
    }
}
