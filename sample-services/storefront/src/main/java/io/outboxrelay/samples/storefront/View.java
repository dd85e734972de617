package io.outboxrelay.samples.storefront;

/**
 * A read model. Applying must be idempotent, and must not depend on the order of events: a replay brings old ones again, in
 * between of new ones, and what is left in the end has to be the same.
 */
interface View {

    /** Applies an event, in the caller's transaction; one that says nothing about this view changes nothing. */
    void apply(ShopEvent event);
}
