package io.outboxrelay.samples.orders;

import java.util.List;

/**
 * An order that is about to be placed.
 *
 * @param customerId of the customer who orders
 * @param lines at least one, at current prices
 * @param currency ISO 4217 code of all amounts
 */
record NewOrder(String customerId, List<Order.Line> lines, String currency) {

    NewOrder {
        lines = List.copyOf(lines);
    }

    /**
     * The total of all lines.
     *
     * @throws NotOrderable if it is too large
     */
    long amountCents() {
        try {
            long sum = 0;
            for (Order.Line line : lines) {
                sum = Math.addExact(sum, Math.multiplyExact(line.priceCents(), line.quantity()));
            }
            return sum;
        } catch (ArithmeticException tooMuch) {
            throw NotOrderable.beyondCounting();
        }
    }
}
