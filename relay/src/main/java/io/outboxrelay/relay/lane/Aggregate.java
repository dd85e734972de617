package io.outboxrelay.relay.lane;

/**
 * The unit of order: its events are published one after the other.
 *
 * @param type kind of aggregate, such as {@code Order}
 * @param id which one
 * @param named whether these are its names; false for a stand-in of a single event whose aggregate cannot be read: its
 *     names may not even be valid parameters for the database
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
