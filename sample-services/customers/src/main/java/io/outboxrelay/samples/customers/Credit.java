package io.outboxrelay.samples.customers;

/**
 * A customer's credit at this moment, in euro cents.
 *
 * @param creditLimitCents how much the customer may owe
 * @param reservedCents how much of it is kept for orders that are not paid yet
 * @param availableCents what is left; below zero where the limit was lowered under what is reserved
 */
record Credit(String customerId, long creditLimitCents, long reservedCents, long availableCents) {}
