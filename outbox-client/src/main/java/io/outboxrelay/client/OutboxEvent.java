package io.outboxrelay.client;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * An event to be published. When it occurred is said by the database that stores it.
 *
 * @param id identifies the event wherever it goes; null lets the {@link Outbox} choose one
 * @param aggregateType what kind of thing it happened to, for example {@code order}
 * @param aggregateId which one; the events of one aggregate are published in the order in which they were written
 * @param eventType what happened, for example {@code OrderPlaced}; at most 255 bytes in UTF-8
 * @param payload the body, published as it is. The array is not copied: leave it alone once it is here.
 * @param contentType of the payload, for example {@code application/json}; at most 255 bytes in UTF-8
 * @param headers the service's own, published as they are; without those in which RabbitMQ keeps its record of a message, such
 *     as {@code x-death}. {@code CC} and {@code BCC}, which add routing keys, make the relay refuse the event
 */
public record OutboxEvent(
        @Nullable UUID id,
        String aggregateType,
        String aggregateId,
        String eventType,
        byte[] payload,
        String contentType,
        Map<String, String> headers) {

    /** AMQP carries event type, content type and header names as strings with a length of one byte. */
    private static final int SHORT_STRING_BYTES = 255;

    /**
     * Checks what the database or the broker would refuse later.
     *
     * @throws IllegalArgumentException if a type is empty, too long, or a text contains U+0000
     */
    public OutboxEvent {
        requireText("aggregate type", aggregateType);
        requireText("event type", eventType);
        requireText("content type", contentType);
        requireStorable("aggregate id", aggregateId);
        requireShort("event type", eventType);
        requireShort("content type", contentType);
        Objects.requireNonNull(payload, "payload");
        headers = Map.copyOf(headers);
        headers.forEach((name, value) -> {
            requireText("header name", name);
            requireShort("header name", name);
            requireStorable("header " + name, value);
        });
    }

    /**
     * An event without headers whose id the {@link Outbox} chooses.
     *
     * @param aggregateType what kind of thing it happened to
     * @param aggregateId which one
     * @param eventType what happened
     * @param payload the body
     * @param contentType of the payload
     * @return the event
     */
    public static OutboxEvent of(
            String aggregateType, String aggregateId, String eventType, byte[] payload, String contentType) {
        return new OutboxEvent(null, aggregateType, aggregateId, eventType, payload, contentType, Map.of());
    }

    /**
     * The same event with an id of the caller's choice.
     *
     * @param id unique among all events
     * @return the changed event
     */
    public OutboxEvent withId(UUID id) {
        return new OutboxEvent(id, aggregateType, aggregateId, eventType, payload, contentType, headers);
    }

    /**
     * The same event with one more header, or another value of it.
     *
     * @param name at most 255 bytes in UTF-8
     * @param value any text without U+0000
     * @return the changed event
     */
    public OutboxEvent withHeader(String name, String value) {
        Map<String, String> more = new LinkedHashMap<>(headers);
        more.put(name, value);
        return new OutboxEvent(id, aggregateType, aggregateId, eventType, payload, contentType, more);
    }

    private static void requireText(String what, String text) {
        if (text.isEmpty()) {
            throw new IllegalArgumentException("The " + what + " of an event is empty");
        }
        requireStorable(what, text);
    }

    private static void requireStorable(String what, String text) {
        if (text.indexOf('\0') >= 0) {
            throw new IllegalArgumentException(
                    "The " + what + " of an event contains U+0000, which PostgreSQL cannot store");
        }
    }

    private static void requireShort(String what, String text) {
        int bytes = text.getBytes(StandardCharsets.UTF_8).length;
        if (bytes > SHORT_STRING_BYTES) {
            throw new IllegalArgumentException("The " + what + " of an event has " + bytes
                    + " bytes, AMQP carries at most " + SHORT_STRING_BYTES + ": " + text);
        }
    }

    /** Equal if everything is equal, the payload byte by byte. */
    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof OutboxEvent that
                && Objects.equals(id, that.id)
                && aggregateType.equals(that.aggregateType)
                && aggregateId.equals(that.aggregateId)
                && eventType.equals(that.eventType)
                && Arrays.equals(payload, that.payload)
                && contentType.equals(that.contentType)
                && headers.equals(that.headers);
    }

    @Override
    public int hashCode() {
        return Objects.hash(id, aggregateType, aggregateId, eventType, Arrays.hashCode(payload), contentType, headers);
    }

    /** Names the event; its payload and its headers' values stay out of logs. */
    @Override
    public String toString() {
        return "OutboxEvent[" + eventType + " of " + aggregateType + " " + aggregateId + ", id=" + id + ", "
                + payload.length + " bytes of " + contentType + ", headers=" + headers.keySet() + "]";
    }
}
