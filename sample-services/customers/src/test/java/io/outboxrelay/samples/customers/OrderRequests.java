package io.outboxrelay.samples.customers;

import io.outboxrelay.samples.contracts.CreditReleaseRequested;
import io.outboxrelay.samples.contracts.CreditReservationRequested;
import io.outboxrelay.samples.contracts.OrderPaid;
import java.time.Instant;

/** What the orders service would write. */
final class OrderRequests {

    private OrderRequests() {}

    static CreditReservationRequested reserve(String customerId, String orderId, long amountCents) {
        return CreditReservationRequested.newBuilder()
                .setOrderId(orderId)
                .setVersion(3)
                .setCustomerId(customerId)
                .setAmountCents(amountCents)
                .setHappenedAt(Instant.EPOCH)
                .build();
    }

    static CreditReleaseRequested release(String customerId, String orderId) {
        return CreditReleaseRequested.newBuilder()
                .setOrderId(orderId)
                .setVersion(4)
                .setCustomerId(customerId)
                .setHappenedAt(Instant.EPOCH)
                .build();
    }

    static OrderPaid paid(String customerId, String orderId, long amountCents) {
        return OrderPaid.newBuilder()
                .setOrderId(orderId)
                .setVersion(5)
                .setCustomerId(customerId)
                .setAmountCents(amountCents)
                .setHappenedAt(Instant.EPOCH)
                .build();
    }
}
