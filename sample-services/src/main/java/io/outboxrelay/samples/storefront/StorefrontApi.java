package io.outboxrelay.samples.storefront;

import io.outboxrelay.client.IdempotentConsumer;
import java.util.UUID;
import org.springframework.http.ResponseEntity;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.RestController;

/** What customers, and those who look after the storefront, can see. */
@RestController
class StorefrontApi {

    private final OrderViews views;
    private final IdempotentConsumer consumer;

    StorefrontApi(OrderViews views, IdempotentConsumer consumer) {
        this.views = views;
        this.consumer = consumer;
    }

    record Deliveries(IdempotentConsumer.State state, long duplicatesDropped) {}

    @GetMapping("/orders/{orderId}")
    ResponseEntity<OrderView> find(@PathVariable UUID orderId) {
        return ResponseEntity.of(views.find(orderId));
    }

    @GetMapping("/deliveries")
    Deliveries deliveries() {
        return new Deliveries(consumer.state(), consumer.duplicatesDropped());
    }
}
