package io.outboxrelay.samples.customers;

/**
 * A customer's credit at this moment, in euro cents.
 *
 * @param creditLimitCents the credit limit
 * @param reservedCents reserved for orders that are not paid yet
 * @param availableCents the rest; negative if the limit was lowered below the reservations
 */
record Credit(String customerId, long creditLimitCents, long reservedCents, long availableCents) {}
