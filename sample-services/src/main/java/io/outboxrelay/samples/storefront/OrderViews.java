package io.outboxrelay.samples.storefront;

import io.outboxrelay.client.EventHandler;
import io.outboxrelay.client.ReceivedEvent;
import io.outboxrelay.samples.contracts.OrderPaid;
import io.outboxrelay.samples.contracts.OrderPlaced;
import io.outboxrelay.samples.contracts.OrderShipped;
import io.outboxrelay.schemas.encoding.EventDecoder;
import java.util.Optional;
import java.util.UUID;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.stereotype.Component;

/**
 * The read model of orders. Called by the consumer inside the inbox's transaction, so each event is applied once,
 * however often it is delivered.
 */
@Component
class OrderViews implements EventHandler {

    private final EventDecoder<OrderPlaced> placed = EventDecoder.of(OrderPlaced.class);
    private final EventDecoder<OrderPaid> paid = EventDecoder.of(OrderPaid.class);
    private final EventDecoder<OrderShipped> shipped = EventDecoder.of(OrderShipped.class);
    private final JdbcClient database;

    OrderViews(JdbcClient database) {
        this.database = database;
    }

    /** Event types that this version of the storefront does not know are not for it. */
    @Override
    public void handle(ReceivedEvent event) {
        switch (event.type()) {
            case "OrderPlaced" -> apply(event.id(), placed.decode(event.payload()));
            case "OrderPaid" -> {
                OrderPaid order = paid.decode(event.payload());
                move(event.id(), UUID.fromString(order.getOrderId()), order.getOrderVersion(), "paid");
            }
            case "OrderShipped" -> {
                OrderShipped order = shipped.decode(event.payload());
                move(event.id(), UUID.fromString(order.getOrderId()), order.getOrderVersion(), "shipped");
            }
            default -> {}
        }
    }

    Optional<OrderView> find(UUID orderId) {
        return database.sql("SELECT * FROM order_view WHERE order_id = :order_id")
                .param("order_id", orderId)
                .query(OrderView.class)
                .optional();
    }

    private void apply(UUID eventId, OrderPlaced order) {
        UUID orderId = UUID.fromString(order.getOrderId());
        move(eventId, orderId, order.getOrderVersion(), "placed");
        database.sql("""
                        UPDATE order_view
                        SET customer_id = :customer_id, item = :item, quantity = :quantity, amount_cents = :amount_cents
                        WHERE order_id = :order_id
                        """)
                .param("order_id", orderId)
                .param("customer_id", order.getCustomerId())
                .param("item", order.getItem())
                .param("quantity", order.getQuantity())
                .param("amount_cents", order.getAmountCents())
                .update();
    }

    private void move(UUID eventId, UUID orderId, int version, String state) {
        int expected = nextVersion(orderId);
        if (version != expected) {
            note(eventId, orderId, expected, version);
        }
        database.sql("""
                        INSERT INTO order_view (order_id, version, state, events_applied, changed_at)
                        VALUES (:order_id, :version, :state, 1, now())
                        ON CONFLICT (order_id) DO UPDATE SET
                            version = excluded.version,
                            state = excluded.state,
                            events_applied = order_view.events_applied + 1,
                            changed_at = now()
                        """)
                .param("order_id", orderId)
                .param("version", version)
                .param("state", state)
                .update();
    }

    private int nextVersion(UUID orderId) {
        return database.sql("SELECT version + 1 FROM order_view WHERE order_id = :order_id FOR UPDATE")
                .param("order_id", orderId)
                .query(Integer.class)
                .optional()
                .orElse(1);
    }

    private void note(UUID eventId, UUID orderId, int expected, int received) {
        database.sql("""
                        INSERT INTO out_of_order (event_id, order_id, version_expected, version_received)
                        VALUES (:event_id, :order_id, :expected, :received)
                        """)
                .param("event_id", eventId)
                .param("order_id", orderId)
                .param("expected", expected)
                .param("received", received)
                .update();
    }
}
