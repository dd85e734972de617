package io.outboxrelay.samples.customers;

import io.outboxrelay.client.ConsumerQueue;
import io.outboxrelay.client.IdempotentConsumer;
import io.outboxrelay.samples.chassis.Heartbeat;
import io.outboxrelay.samples.chassis.Heartbeats;
import io.outboxrelay.samples.contracts.CustomersHeartbeat;
import io.outboxrelay.spring.IdempotentConsumers;
import io.swagger.v3.oas.annotations.OpenAPIDefinition;
import io.swagger.v3.oas.annotations.info.Info;
import org.springframework.beans.factory.annotation.Value;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.context.annotation.Bean;

/** The customers service as a process. Its settings are in {@code customers.yaml}. */
@SpringBootApplication(proxyBeanMethods = false)
@OpenAPIDefinition(
        info =
                @Info(
                        title = "Customers",
                        version = "1",
                        description = "Customers, their credit, and the countries and currencies of the shop."))
public class CustomersService {

    /** The consumer's name in the inbox. */
    public static final String CONSUMER = "customers";

    /** Requests of orders concerning customers' credit. */
    public static final ConsumerQueue QUEUE = ConsumerQueue.named("customers.orders")
            .boundToEvents("events", "order", "CreditReservationRequested", "CreditReleaseRequested", "OrderPaid");

    /**
     * Runs until it is terminated.
     *
     * @param arguments settings for Spring Boot, such as {@code --server.port=8081}
     */
    public static void main(String[] arguments) {
        new SpringApplicationBuilder(CustomersService.class)
                .properties("spring.config.name=customers")
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
                "customers",
                beat -> CustomersHeartbeat.newBuilder()
                        .setVersion(beat.version())
                        .setHappenedAt(beat.at())
                        .build());
    }
}
