package io.outboxrelay.samples.storefront;

import java.util.UUID;

/** The orders service does not know the order. */
final class NoSuchOrder extends RuntimeException {

    NoSuchOrder(UUID orderId) {
        super("There is no order %s".formatted(orderId));
    }
}
