package io.outboxrelay.test;

import static io.outboxrelay.test.OutboxAssertions.assertThat;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.outboxrelay.client.EventRejectedException;
import io.outboxrelay.client.JsonEvents;
import io.outboxrelay.client.Outbox;
import io.outboxrelay.client.OutboxEvent;
import java.util.UUID;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.boot.test.context.SpringBootTest;
import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.test.context.DynamicPropertyRegistry;
import org.springframework.test.context.DynamicPropertySource;
import org.springframework.transaction.annotation.Transactional;

/** As a service would test itself, in a transaction that rolls back. The page about testing shows parts of it. */
@SpringBootTest(classes = Shop.class)
@AutoConfigureOutboxTest
@Transactional
@Tag("server")
class OrdersTest {

    @Autowired
    private Orders orders;

    @Autowired
    private Outbox outbox;

    @Autowired
    private JsonEvents json;

    @Autowired
    private JdbcTemplate jdbc;

    @Autowired
    private PublishedEvents published;

    @Autowired
    private EventDelivery delivery;

    @DynamicPropertySource
    static void database(DynamicPropertyRegistry properties) {
        ShopDatabase.describe(properties);
    }

    @Test
    void an_order_that_is_placed_is_published() {
        orders.place(new OrderPlaced("4711", "7", 1250));

        assertThat(published)
                .hasTypes("OrderPlaced")
                .hasOne("OrderPlaced")
                .hasAggregateType("Order")
                .hasAggregateId("4711")
                .hasHeader("tenant", "north")
                .hasJson("customer", "7")
                .hasJson("total", 1250)
                .payload(json, OrderPlaced.class)
                .isEqualTo(new OrderPlaced("4711", "7", 1250));
    }

    @Test
    void an_order_of_nothing_is_not_published() {
        orders.place(new OrderPlaced("4712", "7", 0));

        assertThat(published).isEmpty();
    }

    @Test
    void an_order_is_invoiced_once() {
        OutboxEvent placed = json.eventType("OrderPlaced")
                .aggregateType("Order")
                .aggregateId("4711")
                .payload(new OrderPlaced("4711", "7", 1250))
                .withId(UUID.randomUUID());

        assertThat(delivery.deliver(placed, "billing")).isTrue();
        assertThat(delivery.deliver(placed, "billing")).as("a duplicate").isFalse();

        assertThat(jdbc.queryForList("SELECT order_id FROM invoice", String.class))
                .containsExactly("4711");
    }

    @Test
    void what_one_part_publishes_the_other_understands() {
        orders.place(new OrderPlaced("4711", "7", 1250));

        assertThat(delivery.deliver(published, "billing")).isEqualTo(1);

        assertThat(jdbc.queryForObject("SELECT total FROM invoice", Integer.class))
                .isEqualTo(1250);
    }

    @Test
    void an_event_that_the_queue_is_not_bound_to_is_not_delivered() {
        outbox.publish(json.eventType("OrderSent")
                .aggregateType("Order")
                .aggregateId("4711")
                .payload("by mail"));

        assertThatThrownBy(() -> delivery.deliver(published, "billing"))
                .isInstanceOf(AssertionError.class)
                .hasMessageStartingWith(
                        "The queue billing.orders of the consumer billing is bound by [order.placed] and"
                                + " gets none of the published events, whose routing keys are [order.sent].");

        orders.place(new OrderPlaced("4711", "7", 1250));
        assertThat(delivery.deliver(published, "billing")).isEqualTo(1);
    }

    @Test
    void what_the_handler_throws_is_thrown() {
        OutboxEvent lost = json.eventType("OrderLost")
                .aggregateType("Order")
                .aggregateId("4711")
                .payload("nobody knows");

        assertThatThrownBy(() -> delivery.deliver(lost, "billing")).isInstanceOf(EventRejectedException.class);
        assertThatThrownBy(() -> delivery.deliver(lost, "shipping"))
                .hasMessage("There is no consumer \"shipping\", only [billing]");
    }
}
