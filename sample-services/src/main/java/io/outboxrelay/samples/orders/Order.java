package io.outboxrelay.samples.orders;

import java.util.UUID;

/**
 * An order as it is now.
 *
 * @param version grows by one with each event of the order
 * @param state {@code placed}, {@code paid} or {@code shipped}
 */
record Order(UUID orderId, int version, String state, String customerId, String item, int quantity, long amountCents) {}
