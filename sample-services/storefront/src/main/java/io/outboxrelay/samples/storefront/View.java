package io.outboxrelay.samples.storefront;

/**
 * A read model. Applying an event must be idempotent, and must not depend on the order of events: a replay delivers old
 * events again, between new ones, and the result has to be the same.
 */
interface View {

    /** Applies an event in the caller's transaction; ignores events that do not concern this view. */
    void apply(ShopEvent event);
}
