package io.outboxrelay.relay.lane;

import java.time.Duration;
import java.time.Instant;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * One row of the outbox. Two events are equal only if they are the same object: a claim reads each row once.
 *
 * @param lane its lane, as the database computed it
 * @param position its place in its lane
 * @param id its identity for consumers
 * @param aggregate its aggregate
 * @param type kind of event
 * @param payloadBytes size of the payload
 * @param payload the bytes that the service wrote; null when they exceed the limit and so were not read
 * @param contentType media type of the payload
 * @param headers the service's headers, a JSON object
 * @param occurredAt when it was written, by the database's clock
 * @param kept its place among the failures; null when it comes from the outbox
 * @param unreadable which of its columns cannot be read, in a sentence; such an event is never published, and has
 *     replacements for missing values; null when everything was read
 */
@SuppressWarnings("ArrayRecordComponent")
public record Event(
        int lane,
        long position,
        UUID id,
        Aggregate aggregate,
        String type,
        int payloadBytes,
        byte @Nullable [] payload,
        String contentType,
        String headers,
        Instant occurredAt,
        @Nullable Kept kept,
        @Nullable String unreadable) {

    /** A readable event. */
    public Event(
            int lane,
            long position,
            UUID id,
            Aggregate aggregate,
            String type,
            int payloadBytes,
            byte @Nullable [] payload,
            String contentType,
            String headers,
            Instant occurredAt,
            @Nullable Kept kept) {
        this(lane, position, id, aggregate, type, payloadBytes, payload, contentType, headers, occurredAt, kept, null);
    }

    /**
     * The place of an event that failed before, or that waited behind one that did.
     *
     * @param id its place
     * @param attempts number of spent attempts
     * @param failures number of failures in a row
     * @param returnedFor how long the broker has returned it without any other answer in between, by the database's
     *     clock; zero when it has not
     * @param parked whether it is parked and still tried
     */
    public record Kept(long id, int attempts, int failures, Duration returnedFor, boolean parked) {}

    @Override
    public boolean equals(@Nullable Object other) {
        return this == other;
    }

    @Override
    public int hashCode() {
        return Long.hashCode(position);
    }

    /** Names the event without its payload and headers, which never reach a log. */
    @Override
    public String toString() {
        return "event %s (%s of %s %s, position %d)".formatted(id, type, aggregate.type(), aggregate.id(), position);
    }

    /**
     * The unit of order: its events are published one after the other.
     *
     * @param type kind of aggregate, such as {@code Order}
     * @param id which one
     * @param named whether these are its names; false for a stand-in of a single event whose aggregate cannot be read:
     *     its names may not even be valid parameters for the database
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
}
