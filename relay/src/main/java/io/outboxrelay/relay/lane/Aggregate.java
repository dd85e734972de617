package io.outboxrelay.relay.lane;

/**
 * What keeps its events in order.
 *
 * @param type kind of aggregate, such as {@code Order}
 * @param id which one
 * @param named whether these are its names; false for a stand-in of a single event whose aggregate cannot be read, which a
 *     database may not even take as a parameter
 */
public record Aggregate(String type, String id, boolean named) {

    /**
     * An aggregate by its names.
     *
     * @param type kind of aggregate
     * @param id which one
     */
    public Aggregate(String type, String id) {
        this(type, id, true);
    }
}
