package io.outboxrelay.samples.orders;

import io.outboxrelay.client.Outbox;
import io.outboxrelay.client.OutboxEvent;
import io.outboxrelay.samples.contracts.OrderPaid;
import io.outboxrelay.samples.contracts.OrderPlaced;
import io.outboxrelay.samples.contracts.OrderShipped;
import io.outboxrelay.schemas.encoding.EventEncoder;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.apache.avro.specific.SpecificRecord;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.stereotype.Component;
import org.springframework.transaction.annotation.Transactional;

/**
 * What can happen to an order: each method is one local transaction that changes the order's row and writes the event
 * that tells of it. Either both are there afterwards or neither is.
 */
@Component
class Orders {

    /** The aggregate type of all events written here. */
    static final String AGGREGATE = "order";

    private final JdbcClient database;
    private final Outbox outbox;
    private final Bank bank;
    private final EventEncoder encoder = EventEncoder.singleObject();

    Orders(JdbcClient database, Outbox outbox, Bank bank) {
        this.database = database;
        this.outbox = outbox;
        this.bank = bank;
    }

    @Transactional
    Order place(String customerId, String item, int quantity, long amountCents) {
        UUID orderId = UUID.randomUUID();
        Changed changed = database.sql("""
                        INSERT INTO orders (order_id, version, state, customer_id, item, quantity, amount_cents)
                        VALUES (:order_id, 1, 'placed', :customer_id, :item, :quantity, :amount_cents)
                        RETURNING version, amount_cents, changed_at
                        """)
                .param("order_id", orderId)
                .param("customer_id", customerId)
                .param("item", item)
                .param("quantity", quantity)
                .param("amount_cents", amountCents)
                .query(Changed.class)
                .single();
        tell(
                orderId,
                changed,
                OrderPlaced.newBuilder()
                        .setOrderId(orderId.toString())
                        .setOrderVersion(changed.version())
                        .setCustomerId(customerId)
                        .setItem(item)
                        .setQuantity(quantity)
                        .setAmountCents(amountCents)
                        .setPlacedAt(changed.at())
                        .build());
        return new Order(orderId, changed.version(), "placed", customerId, item, quantity, amountCents);
    }

    /** The bank is asked last: when it declines, the event is in the outbox already and vanishes with everything else. */
    @Transactional
    void pay(UUID orderId, String card) {
        Changed changed = change(orderId, "placed", "paid");
        tell(
                orderId,
                changed,
                OrderPaid.newBuilder()
                        .setOrderId(orderId.toString())
                        .setOrderVersion(changed.version())
                        .setAmountCents(changed.amountCents())
                        .setPaidAt(changed.at())
                        .build());
        if (!bank.accepts(card, changed.amountCents())) {
            throw new PaymentDeclined(orderId);
        }
    }

    @Transactional
    void ship(UUID orderId) {
        Changed changed = change(orderId, "paid", "shipped");
        tell(
                orderId,
                changed,
                OrderShipped.newBuilder()
                        .setOrderId(orderId.toString())
                        .setOrderVersion(changed.version())
                        .setShippedAt(changed.at())
                        .build());
    }

    Optional<Order> find(UUID orderId) {
        return database.sql("SELECT * FROM orders WHERE order_id = :order_id")
                .param("order_id", orderId)
                .query(Order.class)
                .optional();
    }

    long count() {
        return database.sql("SELECT count(*) FROM orders").query(Long.class).single();
    }

    List<Order> latest() {
        return database.sql("SELECT * FROM orders ORDER BY changed_at DESC LIMIT 20")
                .query(Order.class)
                .list();
    }

    /** Locks the order's row until the transaction ends, which makes writers of one order's events wait for each other. */
    private Changed change(UUID orderId, String from, String to) {
        return database.sql("""
                        UPDATE orders SET version = version + 1, state = :to, changed_at = now()
                        WHERE order_id = :order_id AND state = :from
                        RETURNING version, amount_cents, changed_at
                        """)
                .param("order_id", orderId)
                .param("from", from)
                .param("to", to)
                .query(Changed.class)
                .optional()
                .orElseThrow(() -> new NoSuchOrder(orderId, from));
    }

    private void tell(UUID orderId, Changed changed, SpecificRecord event) {
        String type = event.getSchema().getName();
        UUID eventId = outbox.publish(
                OutboxEvent.of(AGGREGATE, orderId.toString(), type, encoder.encode(event), EventEncoder.CONTENT_TYPE));
        database.sql("""
                        INSERT INTO order_history (event_id, order_id, version, event_type, happened_at)
                        VALUES (:event_id, :order_id, :version, :event_type, :happened_at)
                        """)
                .param("event_id", eventId)
                .param("order_id", orderId)
                .param("version", changed.version())
                .param("event_type", type)
                .param("happened_at", changed.changedAt())
                .update();
    }

    private record Changed(int version, long amountCents, OffsetDateTime changedAt) {

        Instant at() {
            return changedAt.toInstant();
        }
    }
}
