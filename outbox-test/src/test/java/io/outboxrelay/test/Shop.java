package io.outboxrelay.test;

import io.outboxrelay.client.ConsumerQueue;
import io.outboxrelay.client.EventHandlers;
import io.outboxrelay.client.IdempotentConsumer;
import io.outboxrelay.client.JsonEvents;
import io.outboxrelay.client.Outbox;
import io.outboxrelay.spring.IdempotentConsumers;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.jdbc.core.JdbcTemplate;

/** An application that is tested: it publishes events and consumes them. */
@Configuration(proxyBeanMethods = false)
@EnableAutoConfiguration
class Shop {

    @Bean
    Orders orders(Outbox outbox, JsonEvents json) {
        return new Orders(outbox, json);
    }

    @Bean
    IdempotentConsumer billing(IdempotentConsumers consumers, JsonEvents json, JdbcTemplate jdbc) {
        jdbc.execute("CREATE TABLE IF NOT EXISTS invoice (order_id text, total int CHECK (total > 0))");
        EventHandlers handlers = EventHandlers.reading(json)
                .on(
                        "OrderPlaced",
                        OrderPlaced.class,
                        (placed, event) ->
                                jdbc.update("INSERT INTO invoice VALUES (?, ?)", placed.orderId(), placed.total()));
        ConsumerQueue queue = ConsumerQueue.named("billing.orders").boundToEvents("events", "Order", "OrderPlaced");
        return consumers.consumer("billing", queue, handlers);
    }
}
