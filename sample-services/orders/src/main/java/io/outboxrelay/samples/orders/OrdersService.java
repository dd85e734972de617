package io.outboxrelay.samples.orders;

import io.outboxrelay.client.ConsumerQueue;
import io.outboxrelay.client.EventHandler;
import io.outboxrelay.client.IdempotentConsumer;
import io.outboxrelay.samples.chassis.Heartbeat;
import io.outboxrelay.samples.chassis.Heartbeats;
import io.outboxrelay.samples.contracts.OrdersHeartbeat;
import io.outboxrelay.spring.IdempotentConsumers;
import org.springframework.beans.factory.annotation.Value;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.context.annotation.Bean;
import org.springframework.scheduling.annotation.EnableScheduling;

/**
 * The orders service as a process, and its parts. Its settings are in {@code orders.yaml}.
 *
 * <p>It consumes two queues. Each has its own place in the inbox, so that the replicas can be rebuilt by a replay while
 * the sagas go on; a consumer's name is its queue's.
 */
@SpringBootApplication(proxyBeanMethods = false)
@EnableConfigurationProperties(SagaSettings.class)
@EnableScheduling
public class OrdersService {

    private static final String EXCHANGE = "events";

    /**
     * The answers of the saga's participants. All instances of the service share them: a saga takes them in any order,
     * because each answer locks its order's row, and one that is not expected changes nothing.
     */
    public static final ConsumerQueue SAGA_QUEUE = ConsumerQueue.named("orders.saga")
            .shared()
            .boundToEvents(EXCHANGE, "reservation")
            .boundToEvents(EXCHANGE, "customer", "CreditReserved", "CreditRejected", "CreditReleased");

    /** Events about customers and products, and heartbeats. */
    public static final ConsumerQueue REPLICAS_QUEUE = ConsumerQueue.named("orders.replicas")
            .boundToEvents(EXCHANGE, "customer", "CustomerRegistered", "CustomerChanged")
            .boundToEvents(EXCHANGE, "product")
            .boundToEvents(EXCHANGE, "heartbeat", "CustomersHeartbeat", "ProductsHeartbeat");

    /**
     * Runs until it is terminated.
     *
     * @param arguments settings for Spring Boot, such as {@code --server.port=8083}
     */
    public static void main(String[] arguments) {
        new SpringApplicationBuilder(OrdersService.class)
                .properties("spring.config.name=orders")
                .run(arguments);
    }

    @Bean
    IdempotentConsumer sagaConsumer(
            IdempotentConsumers consumers, SagaAnswers answers, @Value("${shop.queues.declare:true}") boolean declare) {
        return consumer(consumers, SAGA_QUEUE, answers, declare);
    }

    @Bean
    IdempotentConsumer replicasConsumer(
            IdempotentConsumers consumers,
            ReplicaUpdates updates,
            @Value("${shop.queues.declare:true}") boolean declare) {
        return consumer(consumers, REPLICAS_QUEUE, updates, declare);
    }

    private static IdempotentConsumer consumer(
            IdempotentConsumers consumers, ConsumerQueue queue, EventHandler handler, boolean declare) {
        IdempotentConsumer.Builder consumer =
                consumers.builder().name(queue.name()).handler(handler);
        return (declare ? consumer.queue(queue) : consumer.queue(queue.name())).build();
    }

    @Bean
    Heartbeat heartbeat(Heartbeats heartbeats) {
        return heartbeats.of("orders", beat -> new OrdersHeartbeat(beat.version(), beat.at()));
    }
}
