package io.outboxrelay.samples.orders;

import java.util.UUID;

/** There is no order with this id. */
final class NoSuchOrder extends RuntimeException {

    NoSuchOrder(UUID orderId) {
        super("There is no order %s: use the id from the answer to POST /orders".formatted(orderId));
    }
}
