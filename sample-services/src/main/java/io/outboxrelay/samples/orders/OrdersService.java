package io.outboxrelay.samples.orders;

import io.outboxrelay.client.Outbox;
import io.outboxrelay.schema.OutboxSchemaCallback;
import javax.sql.DataSource;
import org.flywaydb.core.api.callback.Callback;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.context.annotation.Bean;

/** The orders service as a process. Its settings are in {@code orders.yaml}. */
@SpringBootApplication(proxyBeanMethods = false)
public class OrdersService {

    /**
     * Runs until it is terminated.
     *
     * @param arguments settings for Spring Boot, such as {@code --server.port=8081}
     */
    public static void main(String[] arguments) {
        new SpringApplicationBuilder(OrdersService.class)
                .properties("spring.config.name=orders")
                .run(arguments);
    }

    @Bean
    Callback outboxSchema() {
        return new OutboxSchemaCallback();
    }

    @Bean
    Outbox outbox(DataSource dataSource) {
        return new Outbox(dataSource);
    }
}
