package io.outboxrelay.samples.orders;

import io.outboxrelay.samples.contracts.OrderRejection;
import java.time.Instant;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * An order as it is now.
 *
 * @param version increases by one with each event of the order
 * @param state where its saga stands
 * @param reason why the shop will not take it; null as long as it may, and for one that was cancelled
 * @param customerId of the customer who ordered
 * @param lines what was ordered, at least one line
 * @param amountCents of all lines together
 * @param currency ISO 4217 code of all amounts
 * @param placedAt by the database's clock
 * @param changedAt when the saga came to this state, or asked again in it, by the database's clock
 */
record Order(
        UUID orderId,
        int version,
        OrderState state,
        @Nullable OrderRejection reason,
        String customerId,
        List<Line> lines,
        long amountCents,
        String currency,
        Instant placedAt,
        Instant changedAt) {

    /**
     * A line of an order, with name and price as they were when it was placed.
     *
     * @param quantity pieces, at least 1
     * @param priceCents of one piece
     */
    record Line(String productId, String name, int quantity, long priceCents) {}

    /** The same order with its lines. */
    Order with(List<Line> ordered) {
        return new Order(
                orderId, version, state, reason, customerId, ordered, amountCents, currency, placedAt, changedAt);
    }

    /** The same order, which the shop will not take. */
    Order because(OrderRejection why) {
        return new Order(orderId, version, state, why, customerId, lines, amountCents, currency, placedAt, changedAt);
    }

    /** The same order after a step of its saga. */
    Order moved(OrderState to, int newVersion, Instant at) {
        return new Order(orderId, newVersion, to, reason, customerId, lines, amountCents, currency, placedAt, at);
    }
}
