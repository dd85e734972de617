package io.outboxrelay.samples.orders;

import io.outboxrelay.samples.contracts.CreditRejected;
import io.outboxrelay.samples.contracts.CreditRejection;
import io.outboxrelay.samples.contracts.CreditReleased;
import io.outboxrelay.samples.contracts.CreditReserved;
import io.outboxrelay.samples.contracts.CustomerChanged;
import io.outboxrelay.samples.contracts.CustomerRegistered;
import io.outboxrelay.samples.contracts.ProductAdded;
import io.outboxrelay.samples.contracts.ProductChanged;
import io.outboxrelay.samples.contracts.StockRejected;
import io.outboxrelay.samples.contracts.StockRejection;
import io.outboxrelay.samples.contracts.StockReleased;
import io.outboxrelay.samples.contracts.StockReserved;
import java.time.Instant;
import java.util.List;
import java.util.UUID;

/** Events of other services. */
final class SagaReply {

    private static final Instant THEN = Instant.parse("2026-01-01T00:00:00Z");

    private SagaReply() {}

    static CustomerRegistered customerRegistered(String customerId, int version, String name, String email) {
        return new CustomerRegistered(customerId, version, name, email, "NORTH", 100_000L, null, THEN);
    }

    static CustomerChanged customerChanged(String customerId, int version, String name, String email) {
        return new CustomerChanged(customerId, version, name, email, "NORTH", null, THEN);
    }

    static ProductAdded productAdded(String productId, int version, String name, long priceCents) {
        return new ProductAdded(productId, version, name, priceCents, "EUR", THEN);
    }

    static ProductChanged productChanged(String productId, int version, String name, long priceCents) {
        return new ProductChanged(productId, version, name, priceCents, "EUR", THEN);
    }

    static StockReserved stockReserved(UUID orderId) {
        return new StockReserved(orderId.toString(), 1, List.of(), THEN);
    }

    static StockRejected stockRejected(UUID orderId, StockRejection reason) {
        return new StockRejected(orderId.toString(), 1, reason, null, THEN);
    }

    static StockReleased stockReleased(UUID orderId) {
        return new StockReleased(orderId.toString(), 2, List.of(), THEN);
    }

    static CreditReserved creditReserved(UUID orderId) {
        return new CreditReserved("anna", 2, orderId.toString(), 1L, 100_000L, 99_999L, THEN);
    }

    static CreditRejected creditRejected(UUID orderId, CreditRejection reason) {
        return new CreditRejected("anna", 2, orderId.toString(), 1L, reason, 100_000L, 0L, THEN);
    }

    static CreditReleased creditReleased(UUID orderId) {
        return new CreditReleased("anna", 3, orderId.toString(), 1L, 100_000L, 100_000L, THEN);
    }
}
