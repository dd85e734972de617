package io.outboxrelay.spring;

import io.outboxrelay.client.JsonEvents;
import io.outboxrelay.client.Outbox;
import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.stereotype.Service;
import org.springframework.transaction.annotation.Transactional;

/** The example of the page about Spring Boot. */
@Service
class Orders {

    private final JdbcTemplate jdbc;
    private final Outbox outbox;
    private final JsonEvents json;

    Orders(JdbcTemplate jdbc, Outbox outbox, JsonEvents json) {
        this.jdbc = jdbc;
        this.outbox = outbox;
        this.json = json;
    }

    @Transactional
    public void place(String orderId, int total) {
        jdbc.update("INSERT INTO orders (id, total) VALUES (?, ?)", orderId, total);
        outbox.publish(json.eventType("OrderPlaced")
                .aggregateType("Order")
                .aggregateId(orderId)
                .payload(new OrderPlaced(orderId, total)));
    }
}
