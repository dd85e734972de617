package io.outboxrelay.samples.customers.client;

import org.jspecify.annotations.Nullable;

/**
 * A customer, at the time of the answer.
 *
 * @param customerId chosen by the service, without a meaning to others
 * @param version increases by one with each event of the customer, from 1
 * @param name of the customer
 * @param email address
 * @param region sales region, such as {@code NORTH}
 * @param country two-letter ISO 3166 code; null if unknown
 * @param creditLimitCents the credit limit, in euro cents
 */
public record Customer(
        String customerId,
        int version,
        String name,
        String email,
        String region,
        @Nullable String country,
        long creditLimitCents) {}
