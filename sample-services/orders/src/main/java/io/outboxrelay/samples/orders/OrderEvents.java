package io.outboxrelay.samples.orders;

import io.outboxrelay.samples.contracts.CreditReleaseRequested;
import io.outboxrelay.samples.contracts.CreditReservationRequested;
import io.outboxrelay.samples.contracts.OrderCancelled;
import io.outboxrelay.samples.contracts.OrderConfirmed;
import io.outboxrelay.samples.contracts.OrderLine;
import io.outboxrelay.samples.contracts.OrderPaid;
import io.outboxrelay.samples.contracts.OrderPlaced;
import io.outboxrelay.samples.contracts.OrderRejected;
import io.outboxrelay.samples.contracts.PricedLine;
import io.outboxrelay.samples.contracts.StockReleaseRequested;
import io.outboxrelay.samples.contracts.StockReservationRequested;
import org.apache.avro.specific.SpecificRecord;

/** Creates the saga's events from the order at each step. */
final class OrderEvents {

    private OrderEvents() {}

    /** The first event of an order. */
    static OrderPlaced placed(Order order) {
        return OrderPlaced.newBuilder()
                .setOrderId(order.orderId().toString())
                .setVersion(order.version())
                .setCustomerId(order.customerId())
                .setLines(order.lines().stream()
                        .map(line -> new PricedLine(line.productId(), line.name(), line.quantity(), line.priceCents()))
                        .toList())
                .setAmountCents(order.amountCents())
                .setCurrency(order.currency())
                .setHappenedAt(order.changedAt())
                .build();
    }

    /** The event of a state that an order has entered. */
    static SpecificRecord entered(Order order) {
        return switch (order.state()) {
            case AWAITING_STOCK -> stockReservationRequested(order);
            case AWAITING_CREDIT -> creditReservationRequested(order);
            case CONFIRMED -> confirmed(order);
            case RELEASING_CREDIT -> creditReleaseRequested(order);
            case RELEASING_STOCK -> stockReleaseRequested(order);
            case PAID -> paid(order);
            case REJECTED -> rejected(order);
            case CANCELLED -> cancelled(order);
        };
    }

    private static StockReservationRequested stockReservationRequested(Order order) {
        return StockReservationRequested.newBuilder()
                .setOrderId(order.orderId().toString())
                .setVersion(order.version())
                .setLines(order.lines().stream()
                        .map(line -> new OrderLine(line.productId(), line.quantity()))
                        .toList())
                .setHappenedAt(order.changedAt())
                .build();
    }

    private static CreditReservationRequested creditReservationRequested(Order order) {
        return CreditReservationRequested.newBuilder()
                .setOrderId(order.orderId().toString())
                .setVersion(order.version())
                .setCustomerId(order.customerId())
                .setAmountCents(order.amountCents())
                .setHappenedAt(order.changedAt())
                .build();
    }

    private static OrderConfirmed confirmed(Order order) {
        return OrderConfirmed.newBuilder()
                .setOrderId(order.orderId().toString())
                .setVersion(order.version())
                .setCustomerId(order.customerId())
                .setHappenedAt(order.changedAt())
                .build();
    }

    private static CreditReleaseRequested creditReleaseRequested(Order order) {
        return CreditReleaseRequested.newBuilder()
                .setOrderId(order.orderId().toString())
                .setVersion(order.version())
                .setCustomerId(order.customerId())
                .setHappenedAt(order.changedAt())
                .build();
    }

    private static StockReleaseRequested stockReleaseRequested(Order order) {
        return StockReleaseRequested.newBuilder()
                .setOrderId(order.orderId().toString())
                .setVersion(order.version())
                .setHappenedAt(order.changedAt())
                .build();
    }

    private static OrderPaid paid(Order order) {
        return OrderPaid.newBuilder()
                .setOrderId(order.orderId().toString())
                .setVersion(order.version())
                .setCustomerId(order.customerId())
                .setAmountCents(order.amountCents())
                .setHappenedAt(order.changedAt())
                .build();
    }

    private static OrderRejected rejected(Order order) {
        return OrderRejected.newBuilder()
                .setOrderId(order.orderId().toString())
                .setVersion(order.version())
                .setCustomerId(order.customerId())
                .setReason(order.reason())
                .setHappenedAt(order.changedAt())
                .build();
    }

    private static OrderCancelled cancelled(Order order) {
        return OrderCancelled.newBuilder()
                .setOrderId(order.orderId().toString())
                .setVersion(order.version())
                .setCustomerId(order.customerId())
                .setHappenedAt(order.changedAt())
                .build();
    }
}
