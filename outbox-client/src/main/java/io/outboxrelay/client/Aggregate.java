package io.outboxrelay.client;

/**
 * What an event happened to. The events of one aggregate take effect one after the other, those of different aggregates
 * in any order.
 */
record Aggregate(String type, String id) {

    static Aggregate of(ReceivedEvent event) {
        return new Aggregate(event.aggregateType(), event.aggregateId());
    }

    /** An event without an aggregate has no place in an order: nothing waits behind it. */
    boolean isNone() {
        return type.isEmpty() && id.isEmpty();
    }
}
