package io.outboxrelay.samples.storefront;

import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * An order as the storefront knows it.
 *
 * @param version of the last event applied
 * @param eventsApplied equal to the version when every event arrived, once and in order
 */
record OrderView(
        UUID orderId,
        int version,
        String state,
        @Nullable String customerId,
        @Nullable String item,
        @Nullable Integer quantity,
        @Nullable Long amountCents,
        int eventsApplied) {}
