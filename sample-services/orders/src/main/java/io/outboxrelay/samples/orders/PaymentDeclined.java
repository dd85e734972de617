package io.outboxrelay.samples.orders;

import java.util.UUID;

/** The bank said no. Thrown out of the transaction, which therefore never was. */
final class PaymentDeclined extends RuntimeException {

    PaymentDeclined(UUID orderId) {
        super("The bank declined the payment of the order %s, which remains confirmed: pay with another card"
                .formatted(orderId));
    }
}
