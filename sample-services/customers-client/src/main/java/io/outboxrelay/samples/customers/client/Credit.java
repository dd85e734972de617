package io.outboxrelay.samples.customers.client;

/**
 * A customer's credit at the time of the answer, in euro cents. It may change a moment later: only a reservation
 * guarantees it.
 *
 * @param customerId whose
 * @param creditLimitCents the credit limit
 * @param reservedCents reserved for orders that are not paid yet
 * @param availableCents the rest; negative if the limit was lowered below the reservations
 */
public record Credit(String customerId, long creditLimitCents, long reservedCents, long availableCents) {}
