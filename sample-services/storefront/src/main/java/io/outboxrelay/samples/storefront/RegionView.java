package io.outboxrelay.samples.storefront;

import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.stereotype.Component;

/**
 * The customers of a region and their recent orders. Without this view, one request to the customers service and one to
 * the orders service for each customer would be needed. Here it is one query, because both kinds of rows are in one
 * database.
 */
@Component
class RegionView {

    /** More do not fit on a page. */
    static final int MOST_CUSTOMERS = 100;

    /** The newest ones of each customer. */
    static final int RECENT_ORDERS = 5;

    /**
     * Reads no more rows than it answers, however many customers and orders there are: customer_view_by_region (region,
     * name, customer_id) gives the first customers in the order of the answer, and order_view_by_customer (customer_id,
     * placed_at DESC, order_id) the newest orders of each.
     */
    static final String QUERY = """
            SELECT c.customer_id, c.name, c.country,
                   (SELECT available_cents FROM credit_view
                       WHERE credit_view.customer_id = c.customer_id) AS available_cents,
                   o.order_id, o.state, o.amount_cents, o.currency, o.placed_at
            FROM (SELECT customer_id, name, country FROM customer_view
                  WHERE region = :region ORDER BY name, customer_id LIMIT :customers) c
            LEFT JOIN LATERAL (SELECT order_id, state, amount_cents, currency, placed_at FROM order_view
                               WHERE order_view.customer_id = c.customer_id
                               ORDER BY placed_at DESC, order_id LIMIT :orders) o ON true
            ORDER BY c.name, c.customer_id, o.placed_at DESC, o.order_id
            """;

    private final JdbcClient database;

    RegionView(JdbcClient database) {
        this.database = database;
    }

    /**
     * A customer of the region.
     *
     * @param availableCents available credit; null before the first event about it
     * @param recentOrders newest first
     */
    record RegionCustomer(
            String customerId,
            String name,
            @Nullable String country,
            @Nullable Long availableCents,
            List<RecentOrder> recentOrders) {}

    /** An order of a customer. */
    record RecentOrder(String orderId, String state, long amountCents, String currency, OffsetDateTime placedAt) {}

    /** By name. */
    List<RegionCustomer> customersOf(String region) {
        Map<String, RegionCustomer> customers = new LinkedHashMap<>();
        database.sql(QUERY)
                .param("region", region)
                .param("customers", MOST_CUSTOMERS)
                .param("orders", RECENT_ORDERS)
                .query((ResultSet row) -> add(row, customers));
        return List.copyOf(customers.values());
    }

    private static void add(ResultSet row, Map<String, RegionCustomer> customers) throws SQLException {
        String customerId = row.getString("customer_id");
        RegionCustomer customer = customers.get(customerId);
        if (customer == null) {
            customer = new RegionCustomer(
                    customerId,
                    row.getString("name"),
                    row.getString("country"),
                    row.getObject("available_cents", Long.class),
                    new ArrayList<>());
            customers.put(customerId, customer);
        }
        String orderId = row.getString("order_id");
        if (orderId != null) {
            customer.recentOrders()
                    .add(new RecentOrder(
                            orderId,
                            row.getString("state"),
                            row.getLong("amount_cents"),
                            row.getString("currency"),
                            row.getObject("placed_at", OffsetDateTime.class)));
        }
    }
}
