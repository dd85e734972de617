package io.outboxrelay.samples.orders;

import io.outboxrelay.samples.orders.Replicas.Product;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.springframework.stereotype.Component;
import org.springframework.transaction.annotation.Transactional;

/**
 * Creates an order: looks up customer and products in the replicas, copies the current names and prices, and begins the
 * saga. It calls no other service.
 */
@Component
class Checkout {

    /** The currency of customers' credit. */
    private static final String CURRENCY = "EUR";

    private final Replicas replicas;
    private final PlaceOrderSaga saga;

    Checkout(Replicas replicas, PlaceOrderSaga saga) {
        this.replicas = replicas;
        this.saga = saga;
    }

    /** A product and the number of items. */
    record Wanted(String productId, int quantity) {}

    /**
     * Places an order.
     *
     * @throws NotOrderable if customer or product is unknown here, or the lines have no common total
     */
    @Transactional
    PlaceOrderSaga.Placed order(String customerId, List<Wanted> wanted) {
        if (replicas.customer(customerId).isEmpty()) {
            throw NotOrderable.unknownCustomer(customerId);
        }
        requireEachOnce(wanted);
        return saga.place(
                new NewOrder(customerId, wanted.stream().map(this::priced).toList(), CURRENCY));
    }

    private Order.Line priced(Wanted wanted) {
        Product product =
                replicas.product(wanted.productId()).orElseThrow(() -> NotOrderable.unknownProduct(wanted.productId()));
        if (!product.currency().equals(CURRENCY)) {
            throw NotOrderable.foreignCurrency(product, CURRENCY);
        }
        return new Order.Line(product.productId(), product.name(), wanted.quantity(), product.priceCents());
    }

    private static void requireEachOnce(List<Wanted> wanted) {
        Set<String> seen = new HashSet<>();
        for (Wanted line : wanted) {
            if (!seen.add(line.productId())) {
                throw NotOrderable.twice(line.productId());
            }
        }
    }
}
