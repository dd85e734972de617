package io.outboxrelay.samples.products;

import io.outboxrelay.client.ConsumerQueue;
import io.outboxrelay.client.IdempotentConsumer;
import io.outboxrelay.samples.chassis.Heartbeat;
import io.outboxrelay.samples.chassis.Heartbeats;
import io.outboxrelay.samples.contracts.ProductsHeartbeat;
import io.outboxrelay.spring.IdempotentConsumers;
import io.swagger.v3.oas.annotations.OpenAPIDefinition;
import io.swagger.v3.oas.annotations.info.Info;
import org.springframework.beans.factory.annotation.Value;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.context.annotation.Bean;

/** The products service as a process. Its settings are in {@code products.yaml}. */
@SpringBootApplication(proxyBeanMethods = false)
@OpenAPIDefinition(
        info = @Info(title = "Products", version = "1", description = "Products, their prices and their stock."))
public class ProductsService {

    /** The consumer's name in the inbox. */
    public static final String CONSUMER = "products";

    /** Requests of orders concerning products' stock. */
    public static final ConsumerQueue QUEUE = ConsumerQueue.named("products.orders")
            .boundToEvents("events", "order", "StockReservationRequested", "StockReleaseRequested");

    /**
     * Runs until it is terminated.
     *
     * @param arguments settings for Spring Boot, such as {@code --server.port=8082}
     */
    public static void main(String[] arguments) {
        new SpringApplicationBuilder(ProductsService.class)
                .properties("spring.config.name=products")
                .run(arguments);
    }

    @Bean
    IdempotentConsumer orders(
            IdempotentConsumers consumers, OrderEvents handler, @Value("${shop.queues.declare:true}") boolean declare) {
        IdempotentConsumer.Builder consumer = consumers.builder().name(CONSUMER).handler(handler);
        return (declare ? consumer.queue(QUEUE) : consumer.queue(QUEUE.name())).build();
    }

    @Bean
    Heartbeat heartbeat(Heartbeats heartbeats) {
        return heartbeats.of(
                "products",
                beat -> ProductsHeartbeat.newBuilder()
                        .setVersion(beat.version())
                        .setHappenedAt(beat.at())
                        .build());
    }
}
