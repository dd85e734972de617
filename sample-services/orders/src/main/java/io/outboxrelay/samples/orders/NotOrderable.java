package io.outboxrelay.samples.orders;

import io.outboxrelay.samples.orders.Replicas.Product;

/** The request cannot become an order. Nothing was written. */
final class NotOrderable extends RuntimeException {

    private NotOrderable(String message) {
        super(message);
    }

    static NotOrderable unknownCustomer(String customerId) {
        return new NotOrderable(("Unknown customer %s: there is none, or its event has not arrived yet."
                        + " Register it, or try again when GET /replicas shows current customers")
                .formatted(customerId));
    }

    static NotOrderable unknownProduct(String productId) {
        return new NotOrderable(("Unknown product %s: there is none, or its event has not arrived yet."
                        + " Add it, or try again when GET /replicas shows current products")
                .formatted(productId));
    }

    static NotOrderable twice(String productId) {
        return new NotOrderable("The product %s is on two lines: use one line per product".formatted(productId));
    }

    static NotOrderable foreignCurrency(Product product, String currency) {
        return new NotOrderable("The product %s is sold in %s, but credit is in %s: order products that are sold in %s"
                .formatted(product.productId(), product.currency(), currency, currency));
    }

    static NotOrderable beyondCounting() {
        return new NotOrderable("The total of all lines exceeds %d cents: order fewer items".formatted(Long.MAX_VALUE));
    }
}
