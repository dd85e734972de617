package io.outboxrelay.samples.products;

import io.outboxrelay.samples.contracts.OrderLine;
import io.outboxrelay.samples.contracts.StockReleaseRequested;
import io.outboxrelay.samples.contracts.StockReservationRequested;
import java.time.Instant;
import java.util.List;

/** What the orders service would write. */
final class OrderRequests {

    private OrderRequests() {}

    static StockReservationRequested reserve(String orderId, OrderLine... lines) {
        return StockReservationRequested.newBuilder()
                .setOrderId(orderId)
                .setVersion(2)
                .setLines(List.of(lines))
                .setHappenedAt(Instant.EPOCH)
                .build();
    }

    static StockReleaseRequested release(String orderId) {
        return StockReleaseRequested.newBuilder()
                .setOrderId(orderId)
                .setVersion(3)
                .setHappenedAt(Instant.EPOCH)
                .build();
    }

    static OrderLine line(String productId, int quantity) {
        return new OrderLine(productId, quantity);
    }
}
