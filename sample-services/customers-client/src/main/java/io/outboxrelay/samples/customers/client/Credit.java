package io.outboxrelay.samples.customers.client;

/**
 * A customer's credit when the service answered, in euro cents. It may be another a moment later: to have some of it, an
 * order has to reserve it.
 *
 * @param customerId whose
 * @param creditLimitCents how much the customer may owe
 * @param reservedCents how much of it is kept for orders that are not paid yet
 * @param availableCents what is left; below zero where the limit was lowered under what is reserved
 */
public record Credit(String customerId, long creditLimitCents, long reservedCents, long availableCents) {}
