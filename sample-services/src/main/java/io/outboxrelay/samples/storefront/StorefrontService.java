package io.outboxrelay.samples.storefront;

import com.rabbitmq.client.ConnectionFactory;
import io.outboxrelay.client.IdempotentConsumer;
import io.outboxrelay.client.Inbox;
import io.outboxrelay.schema.OutboxSchemaCallback;
import java.net.URISyntaxException;
import java.security.GeneralSecurityException;
import javax.net.ssl.SSLContext;
import javax.sql.DataSource;
import org.flywaydb.core.api.callback.Callback;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.context.annotation.Bean;
import org.springframework.transaction.PlatformTransactionManager;

/** The storefront as a process. Its settings are in {@code storefront.yaml}. */
@SpringBootApplication(proxyBeanMethods = false)
@EnableConfigurationProperties(StorefrontSettings.class)
public class StorefrontService {

    /** The name under which the inbox remembers what was applied. */
    public static final String CONSUMER = "storefront";

    /**
     * Runs until it is terminated.
     *
     * @param arguments settings for Spring Boot, such as {@code --server.port=8082}
     */
    public static void main(String[] arguments) {
        new SpringApplicationBuilder(StorefrontService.class)
                .properties("spring.config.name=storefront")
                .run(arguments);
    }

    @Bean
    Callback outboxSchema() {
        return new OutboxSchemaCallback();
    }

    @Bean
    Inbox inbox(DataSource dataSource, PlatformTransactionManager transactions) {
        return new Inbox(dataSource, transactions);
    }

    @Bean
    ConnectionFactory broker(StorefrontSettings settings) throws URISyntaxException, GeneralSecurityException {
        ConnectionFactory factory = new ConnectionFactory();
        factory.setUri(settings.brokerUri());
        if (factory.isSSL()) {
            // What amqps:// sets by itself trusts any certificate.
            factory.useSslProtocol(SSLContext.getDefault());
            factory.enableHostnameVerification();
        }
        return factory;
    }

    @Bean(initMethod = "start", destroyMethod = "close")
    IdempotentConsumer orderEvents(
            ConnectionFactory broker, Inbox inbox, OrderViews views, StorefrontSettings settings) {
        IdempotentConsumer.Builder consumer =
                IdempotentConsumer.builder(broker, inbox).name(CONSUMER).handler(views);
        return switch (settings.queueType()) {
            case QUORUM -> consumer.queue(OrderQueue.QUORUM).build();
            case CLASSIC -> consumer.queue(OrderQueue.declareClassic(broker)).build();
        };
    }
}
