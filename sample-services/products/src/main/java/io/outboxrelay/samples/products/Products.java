package io.outboxrelay.samples.products;

import io.outboxrelay.samples.chassis.Events;
import io.outboxrelay.samples.contracts.ProductAdded;
import io.outboxrelay.samples.contracts.ProductChanged;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.stereotype.Component;
import org.springframework.transaction.annotation.Transactional;

/**
 * The products for sale. Each change is one local transaction: lock the product's row, change it, write the event. A
 * change without effect writes no event. No event contains the stock: it would be out of date on arrival, and the saga
 * requests reservations instead.
 */
@Component
class Products {

    /** The aggregate type of all events written here. */
    static final String AGGREGATE = "product";

    /** Lists are for people. A service that needs all products keeps a copy, fed by events. */
    private static final int MOST_LISTED = 200;

    private final JdbcClient database;
    private final Events events;

    Products(JdbcClient database, Events events) {
        this.database = database;
        this.events = events;
    }

    @Transactional
    Product add(Offer offer, long stock) {
        String productId = UUID.randomUUID().toString();
        database.sql("""
                        INSERT INTO product (product_id, version, name, price_cents, currency, stock)
                        VALUES (:product_id, 1, :name, :price_cents, :currency, :stock)
                        """)
                .param("product_id", productId)
                .param("name", offer.name())
                .param("price_cents", offer.priceCents())
                .param("currency", offer.currency())
                .param("stock", stock)
                .update();
        Stamp stamp = stamp(productId);
        events.publish(
                AGGREGATE,
                productId,
                ProductAdded.newBuilder()
                        .setProductId(productId)
                        .setVersion(stamp.version())
                        .setName(offer.name())
                        .setPriceCents(offer.priceCents())
                        .setCurrency(offer.currency())
                        .setHappenedAt(stamp.at())
                        .build());
        return get(productId);
    }

    @Transactional
    Product change(String productId, Offer offer) {
        Product before = lock(productId);
        if (before.offer().equals(offer)) {
            return before;
        }
        database.sql("""
                        UPDATE product
                        SET version = version + 1, name = :name, price_cents = :price_cents, currency = :currency
                        WHERE product_id = :product_id
                        """)
                .param("product_id", productId)
                .param("name", offer.name())
                .param("price_cents", offer.priceCents())
                .param("currency", offer.currency())
                .update();
        Stamp stamp = stamp(productId);
        events.publish(
                AGGREGATE,
                productId,
                ProductChanged.newBuilder()
                        .setProductId(productId)
                        .setVersion(stamp.version())
                        .setName(offer.name())
                        .setPriceCents(offer.priceCents())
                        .setCurrency(offer.currency())
                        .setHappenedAt(stamp.at())
                        .build());
        return get(productId);
    }

    /** Adds delivered items to the stock. */
    @Transactional
    Product deliver(String productId, int quantity) {
        lock(productId);
        database.sql("UPDATE product SET stock = stock + :quantity WHERE product_id = :product_id")
                .param("product_id", productId)
                .param("quantity", quantity)
                .update();
        return get(productId);
    }

    Optional<Product> find(String productId) {
        return database.sql("SELECT * FROM product WHERE product_id = :product_id")
                .param("product_id", productId)
                .query(Product.class)
                .optional();
    }

    /** Products in alphabetical order, at most {@value #MOST_LISTED}. */
    List<Product> list() {
        return database.sql("SELECT * FROM product ORDER BY name, product_id LIMIT :most")
                .param("most", MOST_LISTED)
                .query(Product.class)
                .list();
    }

    private Product lock(String productId) {
        return database.sql("SELECT * FROM product WHERE product_id = :product_id FOR UPDATE")
                .param("product_id", productId)
                .query(Product.class)
                .optional()
                .orElseThrow(() -> new NoSuchProduct(productId));
    }

    private Stamp stamp(String productId) {
        return database.sql(
                        "SELECT version, utc_timestamp(6) AS happened_at FROM product WHERE product_id = :product_id")
                .param("product_id", productId)
                .query(Stamp.class)
                .single();
    }

    private Product get(String productId) {
        return find(productId).orElseThrow();
    }
}
