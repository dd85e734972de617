package io.outboxrelay.samples.orders;

import io.outboxrelay.samples.contracts.OrderRejection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.stereotype.Component;
import org.springframework.transaction.annotation.Isolation;
import org.springframework.transaction.annotation.Transactional;

/**
 * The orders' tables. Every change of an order holds its row's lock until the caller's transaction ends, which makes
 * writers of one order's events wait for each other. Every time is the database's, taken after the row was locked: an
 * order's times grow as its versions do.
 */
@Component
class Orders {

    private final JdbcClient database;
    private final SagaSettings settings;

    Orders(JdbcClient database, SagaSettings settings) {
        this.database = database;
        this.settings = settings;
    }

    /** What an order's saga has done: the event that it wrote, by the version of the order that it came to. */
    record Step(int number, String step, Instant happenedAt) {}

    /** An order and what its saga has done so far. */
    record Story(Order order, List<Step> steps) {}

    /** An order without what it consists of. */
    record Summary(
            UUID orderId, String state, @Nullable String reason, long amountCents, String currency, Instant placedAt) {}

    Order add(NewOrder order, OrderState state) {
        UUID orderId = UUID.randomUUID();
        long amountCents = order.amountCents();
        Instant placedAt = database.sql("""
                        INSERT INTO orders (order_id, version, state, customer_id, amount_cents, currency,
                            placed_at, changed_at, deadline)
                        SELECT :order_id, 1, :state, :customer_id, :amount_cents, :currency,
                            clock, clock, clock + make_interval(secs => :timeout)
                        FROM clock_timestamp() AS clock
                        RETURNING placed_at
                        """)
                .param("order_id", orderId)
                .param("state", state.text())
                .param("customer_id", order.customerId())
                .param("amount_cents", amountCents)
                .param("currency", order.currency())
                .param("timeout", timeoutSeconds())
                .query((row, number) -> instant(row, "placed_at"))
                .single();
        for (int i = 0; i < order.lines().size(); i++) {
            addLine(orderId, i + 1, order.lines().get(i));
        }
        return new Order(
                orderId,
                1,
                state,
                null,
                order.customerId(),
                order.lines(),
                amountCents,
                order.currency(),
                placedAt,
                placedAt);
    }

    private void addLine(UUID orderId, int number, Order.Line line) {
        database.sql("""
                        INSERT INTO order_line (order_id, number, product_id, name, quantity, price_cents)
                        VALUES (:order_id, :number, :product_id, :name, :quantity, :price_cents)
                        """)
                .param("order_id", orderId)
                .param("number", number)
                .param("product_id", line.productId())
                .param("name", line.name())
                .param("quantity", line.quantity())
                .param("price_cents", line.priceCents())
                .update();
    }

    /** Locks the order, after waiting for any other lock. */
    Optional<Order> lock(UUID orderId) {
        return database.sql("SELECT * FROM orders WHERE order_id = :order_id FOR UPDATE")
                .param("order_id", orderId)
                .query(Orders::order)
                .optional()
                .map(this::withLines);
    }

    /** Locks orders beyond their deadline that are not locked yet, the longest waiting first. */
    List<Order> lockOverdue(int most) {
        return database.sql("""
                        SELECT * FROM orders WHERE deadline <= clock_timestamp()
                        ORDER BY deadline LIMIT :most FOR UPDATE SKIP LOCKED
                        """).param("most", most).query(Orders::order).list().stream()
                .map(this::withLines)
                .toList();
    }

    /**
     * Brings an order that the caller holds to a state, with a deadline if it waits there.
     *
     * @return the order as it is then
     */
    Order move(Order order, OrderState to) {
        return database.sql("""
                        UPDATE orders SET version = version + 1, state = :state, reason = :reason, changed_at = clock,
                            deadline = CASE WHEN :waits THEN clock + make_interval(secs => :timeout) END
                        FROM clock_timestamp() AS clock
                        WHERE order_id = :order_id AND version = :version
                        RETURNING version, changed_at
                        """)
                .param("state", to.text())
                .param("reason", order.reason() == null ? null : order.reason().name())
                .param("waits", to.waits())
                .param("timeout", timeoutSeconds())
                .param("order_id", order.orderId())
                .param("version", order.version())
                .query((row, number) -> order.moved(to, row.getInt("version"), instant(row, "changed_at")))
                .single();
    }

    /** Notes the event that an order has just written. */
    void note(Order order, String step) {
        database.sql("""
                        INSERT INTO saga_step (order_id, number, step, happened_at)
                        VALUES (:order_id, :number, :step, :happened_at)
                        """)
                .param("order_id", order.orderId())
                .param("number", order.version())
                .param("step", step)
                .param("happened_at", order.changedAt().atOffset(ZoneOffset.UTC))
                .update();
    }

    /** An order with its saga so far, both of one moment. */
    @Transactional(readOnly = true, isolation = Isolation.REPEATABLE_READ)
    Optional<Story> find(UUID orderId) {
        return database.sql("SELECT * FROM orders WHERE order_id = :order_id")
                .param("order_id", orderId)
                .query(Orders::order)
                .optional()
                .map(order -> new Story(withLines(order), steps(orderId)));
    }

    private List<Step> steps(UUID orderId) {
        return database.sql("SELECT * FROM saga_step WHERE order_id = :order_id ORDER BY number")
                .param("order_id", orderId)
                .query((row, number) ->
                        new Step(row.getInt("number"), row.getString("step"), instant(row, "happened_at")))
                .list();
    }

    /** The latest orders of a customer. */
    List<Summary> ofCustomer(String customerId, int most) {
        return database.sql("""
                        SELECT * FROM orders WHERE customer_id = :customer_id ORDER BY placed_at DESC LIMIT :most
                        """)
                .param("customer_id", customerId)
                .param("most", most)
                .query((row, number) -> new Summary(
                        row.getObject("order_id", UUID.class),
                        row.getString("state"),
                        row.getString("reason"),
                        row.getLong("amount_cents"),
                        row.getString("currency"),
                        instant(row, "placed_at")))
                .list();
    }

    private static Order order(ResultSet row, int number) throws SQLException {
        String reason = row.getString("reason");
        return new Order(
                row.getObject("order_id", UUID.class),
                row.getInt("version"),
                OrderState.of(row.getString("state")),
                reason == null ? null : OrderRejection.valueOf(reason),
                row.getString("customer_id"),
                List.of(),
                row.getLong("amount_cents"),
                row.getString("currency"),
                instant(row, "placed_at"),
                instant(row, "changed_at"));
    }

    private Order withLines(Order order) {
        return order.with(database.sql("""
                        SELECT product_id, name, quantity, price_cents FROM order_line
                        WHERE order_id = :order_id ORDER BY number
                        """)
                .param("order_id", order.orderId())
                .query(Order.Line.class)
                .list());
    }

    private double timeoutSeconds() {
        return settings.timeout().toMillis() / 1_000.0;
    }

    private static Instant instant(ResultSet row, String column) throws SQLException {
        return row.getObject(column, OffsetDateTime.class).toInstant();
    }
}
