package io.outboxrelay.samples.storefront;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One order, composed from the answers of three services. Missing parts are null, and listed with the reason.
 *
 * @param state of the order, as the orders service names it
 * @param customer of the order
 * @param credit the customer's available credit
 * @param missing empty if the answer is complete
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
     * @param priceCents at the time of the order
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
     * A missing part.
     *
     * @param part of the answer
     * @param service that owns it
     * @param reason in words
     */
    record Missing(String part, String service, String reason) {}
}
