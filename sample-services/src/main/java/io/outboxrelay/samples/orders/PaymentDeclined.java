package io.outboxrelay.samples.orders;

import java.util.UUID;

/** The bank said no. Thrown out of the transaction, which therefore never was. */
final class PaymentDeclined extends RuntimeException {

    PaymentDeclined(UUID orderId) {
        super("The payment of order %s was declined: the order stays as it was".formatted(orderId));
    }
}
