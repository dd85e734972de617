package io.outboxrelay.samples.customers;

import org.jspecify.annotations.Nullable;

/**
 * A customer as it is now.
 *
 * @param customerId chosen by this service, without a meaning to others
 * @param version increases by one with each event of the customer, from 1
 * @param country two-letter ISO 3166 code; null if unknown
 * @param creditLimitCents the credit limit, in euro cents
 */
record Customer(
        String customerId,
        int version,
        String name,
        String email,
        String region,
        @Nullable String country,
        long creditLimitCents) {

    Profile profile() {
        return new Profile(name, email, region, country);
    }
}
