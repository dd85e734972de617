package io.outboxrelay.samples.customers;

import org.jspecify.annotations.Nullable;

/**
 * A customer as it is now.
 *
 * @param customerId chosen by this service; means nothing to others
 * @param version grows by one with each event of the customer, from 1
 * @param country ISO 3166 code of two letters; null where it is not known
 * @param creditLimitCents how much the customer may owe, in euro cents
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
