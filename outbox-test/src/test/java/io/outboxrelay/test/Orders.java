package io.outboxrelay.test;

import io.outboxrelay.client.JsonEvents;
import io.outboxrelay.client.Outbox;
import org.springframework.transaction.annotation.Transactional;

/** A service that is tested. */
class Orders {

    private final Outbox outbox;
    private final JsonEvents json;

    Orders(Outbox outbox, JsonEvents json) {
        this.outbox = outbox;
        this.json = json;
    }

    @Transactional
    public void place(OrderPlaced order) {
        if (order.total() == 0) {
            return;
        }
        outbox.publish(json.eventType("OrderPlaced")
                .aggregateType("Order")
                .aggregateId(order.orderId())
                .payload(order)
                .withHeader("tenant", "north"));
    }
}
