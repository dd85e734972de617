package io.outboxrelay.samples.storefront;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One order, put together from what three services answer. What could not be had is null, and listed with the reason.
 *
 * @param state of the order, as the orders service names it
 * @param customer who ordered
 * @param credit what the customer may still owe
 * @param missing empty where the answer is whole
 */
record ComposedOrder(
        String orderId,
        String state,
        @Nullable String reason,
        long amountCents,
        String currency,
        String customerId,
        @Nullable Customer customer,
        @Nullable Credit credit,
        List<Line> lines,
        List<Missing> missing) {

    /** From the customers service. */
    record Customer(
            String name,
            String email,
            String region,
            @Nullable String country) {}

    /** From the customers service. */
    record Credit(long creditLimitCents, long availableCents) {}

    /**
     * What was ordered.
     *
     * @param priceCents at which it was ordered
     * @param product as it is now
     */
    record Line(
            String productId,
            String name,
            int quantity,
            long priceCents,
            @Nullable Product product) {}

    /** From the products service. */
    record Product(String name, long priceCents, String currency, long stock, long reserved) {}

    /**
     * What the answer lacks.
     *
     * @param part of the answer
     * @param service who would have known
     * @param reason in words
     */
    record Missing(String part, String service, String reason) {}
}
