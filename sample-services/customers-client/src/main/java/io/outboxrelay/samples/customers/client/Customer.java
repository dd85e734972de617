package io.outboxrelay.samples.customers.client;

import org.jspecify.annotations.Nullable;

/**
 * A customer, as it was when the service answered.
 *
 * @param customerId chosen by the service; means nothing to others
 * @param version grows by one with each event of the customer, from 1
 * @param name as the customer wants to be called
 * @param email where to write to
 * @param region the part of the world that the shop counts the customer to, such as {@code NORTH}
 * @param country ISO 3166 code of two letters; null where it is not known
 * @param creditLimitCents how much the customer may owe, in euro cents
 */
public record Customer(
        String customerId,
        int version,
        String name,
        String email,
        String region,
        @Nullable String country,
        long creditLimitCents) {}
