package io.outboxrelay.samples.storefront;

import io.outboxrelay.samples.contracts.CreditReleaseRequested;
import io.outboxrelay.samples.contracts.CreditReservationRequested;
import io.outboxrelay.samples.contracts.OrderCancelled;
import io.outboxrelay.samples.contracts.OrderConfirmed;
import io.outboxrelay.samples.contracts.OrderPaid;
import io.outboxrelay.samples.contracts.OrderPlaced;
import io.outboxrelay.samples.contracts.OrderRejected;
import io.outboxrelay.samples.contracts.PricedLine;
import io.outboxrelay.samples.contracts.StockReleaseRequested;
import io.outboxrelay.samples.contracts.StockReservationRequested;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.apache.avro.specific.SpecificRecord;
import org.jspecify.annotations.Nullable;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.stereotype.Component;

/**
 * Orders according to their events: the lines, the state, and the steps. Only the orders service's events change the
 * state; the answers of products and customers are steps of the saga, not states.
 */
@Component
class OrderView implements View {

    private final JdbcClient database;

    OrderView(JdbcClient database) {
        this.database = database;
    }

    /**
     * An order.
     *
     * @param state as the orders service names it
     * @param reason why it is rejected, null in any other state
     * @param customerId null, like all that follow, before OrderPlaced has arrived
     */
    record Order(
            String orderId,
            String state,
            @Nullable String reason,
            @Nullable String customerId,
            @Nullable Long amountCents,
            @Nullable String currency,
            @Nullable OffsetDateTime placedAt) {}

    /** What was ordered, at the price that the customer saw. */
    record Line(String productId, String name, int quantity, long priceCents) {}

    /**
     * An event of a service about an order.
     *
     * @param eventId the same as in the outbox of that service
     * @param service that published it
     * @param event its type
     * @param detail the reason of a rejection
     * @param happenedAt by the clock of that service's database
     * @param handledAt when it was applied here, by the clock of this database; null if the inbox has forgotten it
     */
    record Step(
            UUID eventId,
            String service,
            String event,
            @Nullable String detail,
            OffsetDateTime happenedAt,
            @Nullable OffsetDateTime handledAt) {}

    @Override
    public void apply(ShopEvent told) {
        SpecificRecord event = told.body();
        told.says("order_id").ifPresent(orderId -> step(orderId, told));
        if (event instanceof OrderPlaced is) {
            state(is.getOrderId(), is.getVersion(), "awaiting_stock", null);
            placed(is);
        } else if (event instanceof StockReservationRequested is) {
            state(is.getOrderId(), is.getVersion(), "awaiting_stock", null);
        } else if (event instanceof CreditReservationRequested is) {
            state(is.getOrderId(), is.getVersion(), "awaiting_credit", null);
        } else if (event instanceof CreditReleaseRequested is) {
            state(is.getOrderId(), is.getVersion(), "releasing_credit", null);
        } else if (event instanceof StockReleaseRequested is) {
            state(is.getOrderId(), is.getVersion(), "releasing_stock", null);
        } else if (event instanceof OrderConfirmed is) {
            state(is.getOrderId(), is.getVersion(), "confirmed", null);
        } else if (event instanceof OrderRejected is) {
            state(is.getOrderId(), is.getVersion(), "rejected", is.getReason().name());
        } else if (event instanceof OrderPaid is) {
            state(is.getOrderId(), is.getVersion(), "paid", null);
        } else if (event instanceof OrderCancelled is) {
            state(is.getOrderId(), is.getVersion(), "cancelled", null);
        }
    }

    Optional<Order> find(String orderId) {
        return database.sql("""
                        SELECT order_id, state, reason, customer_id, amount_cents, currency, placed_at
                        FROM order_view WHERE order_id = :order_id
                        """).param("order_id", orderId).query(Order.class).optional();
    }

    List<Line> linesOf(String orderId) {
        return database.sql("""
                        SELECT product_id, name, quantity, price_cents FROM order_line_view
                        WHERE order_id = :order_id ORDER BY number
                        """).param("order_id", orderId).query(Line.class).list();
    }

    /** In the order of their times, as far as the clocks of different databases agree. */
    List<Step> stepsOf(String orderId) {
        return database.sql("""
                        SELECT event_id, service, event_type AS event, detail, happened_at, processed_at AS handled_at
                        FROM saga_step
                        LEFT JOIN (SELECT * FROM inbox WHERE consumer = :consumer) handled USING (event_id)
                        WHERE order_id = :order_id ORDER BY happened_at, version, event_id
                        """)
                .param("order_id", orderId)
                .param("consumer", StorefrontService.CONSUMER)
                .query(Step.class)
                .list();
    }

    private void state(String orderId, int version, String state, @Nullable String reason) {
        database.sql("""
                        INSERT INTO order_view (order_id, version, state, reason)
                        VALUES (:order_id, :version, :state, :reason)
                        ON CONFLICT (order_id) DO UPDATE SET version = excluded.version, state = excluded.state,
                            reason = excluded.reason
                        WHERE order_view.version < excluded.version
                        """)
                .param("order_id", orderId)
                .param("version", version)
                .param("state", state)
                .param("reason", reason)
                .update();
    }

    /** Data that never changes needs no version, even if it arrives last. */
    private void placed(OrderPlaced order) {
        database.sql("""
                        UPDATE order_view SET customer_id = :customer_id, amount_cents = :amount_cents,
                            currency = :currency, placed_at = :placed_at
                        WHERE order_id = :order_id
                        """)
                .param("order_id", order.getOrderId())
                .param("customer_id", order.getCustomerId())
                .param("amount_cents", order.getAmountCents())
                .param("currency", order.getCurrency())
                .param("placed_at", order.getHappenedAt().atOffset(ZoneOffset.UTC))
                .update();
        int number = 0;
        for (PricedLine line : order.getLines()) {
            number++;
            line(order.getOrderId(), number, line);
        }
    }

    private void line(String orderId, int number, PricedLine line) {
        database.sql("""
                        INSERT INTO order_line_view (order_id, number, product_id, name, quantity, price_cents)
                        VALUES (:order_id, :number, :product_id, :name, :quantity, :price_cents)
                        ON CONFLICT (order_id, number) DO NOTHING
                        """)
                .param("order_id", orderId)
                .param("number", number)
                .param("product_id", line.getProductId())
                .param("name", line.getName())
                .param("quantity", line.getQuantity())
                .param("price_cents", line.getPriceCents())
                .update();
    }

    /** Every event about an order is a step of its saga. */
    private void step(String orderId, ShopEvent told) {
        database.sql("""
                        INSERT INTO saga_step (event_id, order_id, service, version, event_type, detail, happened_at)
                        VALUES (:event_id, :order_id, :service, :version, :event_type, :detail, :happened_at)
                        ON CONFLICT (event_id) DO NOTHING
                        """)
                .param("event_id", told.id())
                .param("order_id", orderId)
                .param("service", told.service())
                .param("version", told.version())
                .param("event_type", told.type())
                .param("detail", told.says("reason").orElse(null))
                .param("happened_at", told.happenedAt().atOffset(ZoneOffset.UTC))
                .update();
    }
}
