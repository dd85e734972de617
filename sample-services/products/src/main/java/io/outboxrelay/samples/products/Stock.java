package io.outboxrelay.samples.products;

import io.outboxrelay.samples.chassis.Events;
import io.outboxrelay.samples.contracts.OrderLine;
import io.outboxrelay.samples.contracts.StockRejected;
import io.outboxrelay.samples.contracts.StockRejection;
import io.outboxrelay.samples.contracts.StockReleased;
import io.outboxrelay.samples.contracts.StockReserved;
import java.util.List;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.stereotype.Component;
import org.springframework.transaction.annotation.Transactional;

/**
 * The products' part in the saga of an order. Requests may arrive twice, late, or after their own compensation:
 *
 * <ul>
 *   <li>a reservation is decided once for each order, for all lines or none; a repeated request gets the same answer;
 *   <li>a release is always answered. If nothing was reserved, the release is remembered, and a later request to
 *       reserve is rejected.
 * </ul>
 *
 * <p>Each method locks the order's reservation first and then products, one by one in the order of their ids. So two
 * orders for the same products wait for each other in one direction only, and cannot deadlock.
 */
@Component
class Stock {

    /** The aggregate type of all events written here; its id is the order's. */
    static final String AGGREGATE = "reservation";

    private final JdbcClient database;
    private final Events events;

    Stock(JdbcClient database, Events events) {
        this.database = database;
        this.events = events;
    }

    private enum State {
        NEW,
        RESERVED,
        OUT_OF_STOCK,
        UNKNOWN_PRODUCT,
        RELEASED
    }

    /**
     * The decision about an order.
     *
     * @param productId which product was missing; null if none was
     */
    private record Reservation(State state, @Nullable String productId) {}

    /** Reserves all items of an order if they are in stock, and answers. */
    @Transactional
    void reserve(String orderId, List<OrderLine> lines) {
        Reservation known = lock(orderId);
        Reservation decided = known.state() == State.NEW ? decide(orderId, pieces(lines)) : known;
        switch (decided.state()) {
            case RESERVED -> tellReserved(orderId);
            case OUT_OF_STOCK -> tellRejected(orderId, StockRejection.OUT_OF_STOCK, decided.productId());
            case UNKNOWN_PRODUCT -> tellRejected(orderId, StockRejection.UNKNOWN_PRODUCT, decided.productId());
            case RELEASED -> tellRejected(orderId, StockRejection.ALREADY_RELEASED, null);
            case NEW -> throw new IllegalStateException("There is no decision about the order " + orderId);
        }
    }

    /** Releases the items of an order, prevents a later reservation, and answers. */
    @Transactional
    void release(String orderId) {
        Reservation known = lock(orderId);
        List<OrderLine> kept = known.state() == State.RESERVED ? keptFor(orderId) : List.of();
        kept.forEach(line -> move(line.getProductId(), -line.getQuantity()));
        note(orderId, new Reservation(State.RELEASED, null));
        tellReleased(orderId, kept);
    }

    private Reservation decide(String orderId, SortedMap<String, Integer> pieces) {
        Reservation decided = pieces.entrySet().stream()
                .map(line -> missing(line.getKey(), line.getValue()))
                .flatMap(Optional::stream)
                .findFirst()
                .orElseGet(() -> new Reservation(State.RESERVED, null));
        if (decided.state() == State.RESERVED) {
            pieces.forEach((productId, quantity) -> keep(orderId, productId, quantity));
        }
        note(orderId, decided);
        return decided;
    }

    /** The quantity of each product, in the order in which products are locked. */
    private static SortedMap<String, Integer> pieces(List<OrderLine> lines) {
        SortedMap<String, Integer> pieces = new TreeMap<>();
        lines.forEach(line -> pieces.merge(line.getProductId(), line.getQuantity(), Math::addExact));
        return pieces;
    }

    /** Locks a product and checks it; empty if enough is in stock. */
    private Optional<Reservation> missing(String productId, int quantity) {
        return database.sql("SELECT stock FROM product WHERE product_id = :product_id FOR UPDATE")
                .param("product_id", productId)
                .query(Long.class)
                .optional()
                .map(stock -> stock < quantity ? Optional.of(State.OUT_OF_STOCK) : Optional.<State>empty())
                .orElse(Optional.of(State.UNKNOWN_PRODUCT))
                .map(state -> new Reservation(state, productId));
    }

    private void keep(String orderId, String productId, int quantity) {
        move(productId, quantity);
        database.sql("""
                        INSERT INTO reservation_line (order_id, product_id, quantity)
                        VALUES (:order_id, :product_id, :quantity)
                        """)
                .param("order_id", orderId)
                .param("product_id", productId)
                .param("quantity", quantity)
                .update();
    }

    /** Moves items from stock to reserved; back if the quantity is negative. */
    private void move(String productId, int quantity) {
        database.sql("""
                        UPDATE product SET stock = stock - :quantity, reserved = reserved + :quantity
                        WHERE product_id = :product_id
                        """)
                .param("product_id", productId)
                .param("quantity", quantity)
                .update();
    }

    private List<OrderLine> keptFor(String orderId) {
        return database.sql("""
                        SELECT product_id, quantity FROM reservation_line
                        WHERE order_id = :order_id ORDER BY product_id
                        """)
                .param("order_id", orderId)
                .query((row, n) -> new OrderLine(row.getString("product_id"), row.getInt("quantity")))
                .list();
    }

    /** Makes all other decisions about this order wait, even if this is the first one. */
    private Reservation lock(String orderId) {
        database.sql("""
                        INSERT INTO reservation (order_id, version, state) VALUES (:order_id, 0, 'NEW')
                        ON DUPLICATE KEY UPDATE version = version
                        """).param("order_id", orderId).update();
        return database.sql("SELECT state, product_id FROM reservation WHERE order_id = :order_id FOR UPDATE")
                .param("order_id", orderId)
                .query(Reservation.class)
                .single();
    }

    private void note(String orderId, Reservation reservation) {
        database.sql("UPDATE reservation SET state = :state, product_id = :product_id WHERE order_id = :order_id")
                .param("order_id", orderId)
                .param("state", reservation.state().name())
                .param("product_id", reservation.productId())
                .update();
    }

    private void tellReserved(String orderId) {
        Stamp stamp = stamp(orderId);
        events.publish(
                AGGREGATE,
                orderId,
                StockReserved.newBuilder()
                        .setOrderId(orderId)
                        .setVersion(stamp.version())
                        .setLines(keptFor(orderId))
                        .setHappenedAt(stamp.at())
                        .build());
    }

    private void tellRejected(String orderId, StockRejection reason, @Nullable String productId) {
        Stamp stamp = stamp(orderId);
        events.publish(
                AGGREGATE,
                orderId,
                StockRejected.newBuilder()
                        .setOrderId(orderId)
                        .setVersion(stamp.version())
                        .setReason(reason)
                        .setProductId(productId)
                        .setHappenedAt(stamp.at())
                        .build());
    }

    private void tellReleased(String orderId, List<OrderLine> lines) {
        Stamp stamp = stamp(orderId);
        events.publish(
                AGGREGATE,
                orderId,
                StockReleased.newBuilder()
                        .setOrderId(orderId)
                        .setVersion(stamp.version())
                        .setLines(lines)
                        .setHappenedAt(stamp.at())
                        .build());
    }

    /** Counts the next event of a locked reservation. */
    private Stamp stamp(String orderId) {
        database.sql("UPDATE reservation SET version = version + 1 WHERE order_id = :order_id")
                .param("order_id", orderId)
                .update();
        return database.sql(
                        "SELECT version, utc_timestamp(6) AS happened_at FROM reservation WHERE order_id = :order_id")
                .param("order_id", orderId)
                .query(Stamp.class)
                .single();
    }
}
