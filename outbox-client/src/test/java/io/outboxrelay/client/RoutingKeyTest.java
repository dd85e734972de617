package io.outboxrelay.client;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.outboxrelay.client.ConsumerQueue.Binding;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class RoutingKeyTest {

    @ParameterizedTest
    @CsvSource({
        "Order, order",
        "OrderItem, order-item",
        "order_item, order-item",
        "ORDER_ITEM, order-item",
        "order.item, order-item",
        "order-item, order-item",
        "HTTPRequestSent, http-request-sent",
        "Order2Shipped, order2-shipped",
        "com.acme.OrderPlaced, com-acme-order-placed",
        "Straße Ändern, straße-ändern",
        "*#, -",
        "'..Order..', order",
    })
    void a_type_becomes_one_word_whatever_its_convention(String type, String word) {
        assertThat(RoutingKey.word(type)).isEqualTo(word);
    }

    @ParameterizedTest
    @CsvSource({
        "Order, OrderPlaced, order.placed",
        "order, placed, order.placed",
        "order, order.placed, order.placed",
        "ORDER, ORDER_PLACED, order.placed",
        "Order, PaymentFailed, order.payment-failed",
        "Order, OrderItemAdded, order.item-added",
        "OrderItem, OrderItemAdded, order-item.added",
        "OrderItem, ItemAdded, order-item.item-added",
        "Order, Order, order.order",
        "Order, Ordered, order.ordered",
    })
    void a_key_has_two_words_and_names_the_aggregate_once(String aggregateType, String eventType, String key) {
        assertThat(RoutingKey.of(aggregateType, eventType)).isEqualTo(key);
    }

    @ParameterizedTest
    @ValueSource(strings = {"*", "#", "", ".", "_"})
    void a_type_without_letters_binds_nothing_and_is_refused(String type) {
        ConsumerQueue queue = ConsumerQueue.named("billing.orders");

        assertThatThrownBy(() -> queue.boundToEvents("events", "Order", type))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("The event type \"" + type + "\" has no letter and no digit, so it names no events: to bind"
                        + " all events of the aggregate type Order, leave the event types out");
        assertThatThrownBy(() -> queue.boundToEvents("events", type))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("to bind by a pattern, use boundTo");
    }

    /** {@code order.*} never matches the events of order items. */
    @Test
    void a_queue_is_bound_by_types() {
        ConsumerQueue queue = ConsumerQueue.named("billing.orders")
                .boundToEvents("events", "Order", "OrderPlaced", "OrderPaid")
                .boundToEvents("shop", "OrderItem");

        assertThat(queue.bindings())
                .containsExactly(
                        new Binding("events", "order.placed"),
                        new Binding("events", "order.paid"),
                        new Binding("shop", "order-item.*"));
    }
}
