package io.outboxrelay.samples.orders;

import java.util.UUID;

/** There is no order with this id in the state that the change needs. */
final class NoSuchOrder extends RuntimeException {

    NoSuchOrder(UUID orderId, String state) {
        super("There is no order %s that is %s".formatted(orderId, state));
    }
}
