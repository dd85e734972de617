package io.outboxrelay.samples.orders;

import java.util.List;

/**
 * An order that is about to be placed.
 *
 * @param customerId who orders
 * @param lines what, at the price of this moment, at least one line
 * @param currency ISO 4217 code of all amounts
 */
record NewOrder(String customerId, List<Order.Line> lines, String currency) {

    NewOrder {
        lines = List.copyOf(lines);
    }

    /**
     * All lines together.
     *
     * @throws NotOrderable if that is more than can be counted
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
