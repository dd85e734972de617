package io.outboxrelay.samples.orders;

import java.util.Optional;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.stereotype.Component;

/**
 * Read-only copies of data of the customers and products services. So an order can be placed and shown while those
 * services are down; the price is that a copy may be a little behind. Only {@link ReplicaUpdates} changes them.
 */
@Component
class Replicas {

    private final JdbcClient database;

    Replicas(JdbcClient database) {
        this.database = database;
    }

    /** What orders need to know of a customer. */
    record Customer(String name, String email) {}

    /**
     * What orders need to know of a product.
     *
     * @param priceCents unit price, in hundredths of the currency
     * @param currency ISO 4217 code
     */
    record Product(String productId, String name, long priceCents, String currency) {}

    /** Empty if there is none, or no event about it has arrived yet. */
    Optional<Customer> customer(String customerId) {
        return database.sql("SELECT name, email FROM customer_replica WHERE customer_id = :customer_id")
                .param("customer_id", customerId)
                .query(Customer.class)
                .optional();
    }

    /** Empty if there is none, or no event about it has arrived yet. */
    Optional<Product> product(String productId) {
        return database.sql("""
                        SELECT product_id, name, price_cents, currency FROM product_replica
                        WHERE product_id = :product_id
                        """)
                .param("product_id", productId)
                .query(Product.class)
                .optional();
    }
}
