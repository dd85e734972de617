package io.outboxrelay.relay.lane;

/**
 * What keeps its events in order.
 *
 * @param type kind of aggregate, such as {@code Order}
 * @param id which one
 */
public record Aggregate(String type, String id) {}
