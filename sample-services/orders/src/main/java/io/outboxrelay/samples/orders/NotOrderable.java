package io.outboxrelay.samples.orders;

import io.outboxrelay.samples.orders.Replicas.Product;

/** What was ordered cannot become an order, and nothing was written. */
final class NotOrderable extends RuntimeException {

    private NotOrderable(String message) {
        super(message);
    }

    static NotOrderable unknownCustomer(String customerId) {
        return new NotOrderable(
                ("The customer %s is not known here: there is none, or the event that tells of it has not"
                                + " arrived yet. Register it, or try again when GET /replicas says that customers are up to date")
                        .formatted(customerId));
    }

    static NotOrderable unknownProduct(String productId) {
        return new NotOrderable(
                ("The product %s is not known here: there is none, or the event that tells of it has not"
                                + " arrived yet. Add it, or try again when GET /replicas says that products are up to date")
                        .formatted(productId));
    }

    static NotOrderable twice(String productId) {
        return new NotOrderable("The product %s is on two lines: order all its pieces on one".formatted(productId));
    }

    static NotOrderable foreignCurrency(Product product, String currency) {
        return new NotOrderable(
                "The product %s is sold in %s, but customers have their credit in %s: order what is sold in %s"
                        .formatted(product.productId(), product.currency(), currency, currency));
    }

    static NotOrderable beyondCounting() {
        return new NotOrderable(
                "The amount of all lines together is more than %d cents: order fewer pieces".formatted(Long.MAX_VALUE));
    }
}
