package io.outboxrelay.client;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * An event to be published. The database that stores it assigns the time at which it occurred.
 *
 * <pre>{@code
 * OutboxEvent.eventType("OrderPlaced").aggregateType("Order").aggregateId(id).payload(json, "application/json")
 * }</pre>
 *
 * <p>Each step takes one text and offers only the next step, so that no two texts can be confused.
 */
public final class OutboxEvent {

    /** AMQP carries event type, content type and header names as strings with a length of one byte. */
    private static final int SHORT_STRING_BYTES = 255;

    private final @Nullable UUID id;
    private final String aggregateType;
    private final String aggregateId;
    private final String eventType;
    private final byte[] payload;
    private final String contentType;
    private final Map<String, String> headers;

    private OutboxEvent(
            @Nullable UUID id,
            String aggregateType,
            String aggregateId,
            String eventType,
            byte[] payload,
            String contentType,
            Map<String, String> headers) {
        this.id = id;
        this.aggregateType = requireText("aggregate type", aggregateType);
        this.aggregateId = requireStorable("aggregate id", aggregateId);
        this.eventType = requireShort("event type", eventType);
        this.payload = Objects.requireNonNull(payload, "payload");
        this.contentType = requireShort("content type", contentType);
        this.headers = Map.copyOf(headers);
        this.headers.forEach((name, value) -> {
            requireShort("header name", name);
            requireStorable("header " + name, value);
        });
    }

    /**
     * Begins an event. It has no headers, and the {@link Outbox} chooses its id, unless you add them.
     *
     * @param eventType what happened, for example {@code OrderPlaced}; at most 255 bytes in UTF-8
     * @return the next step
     * @throws IllegalArgumentException if it is empty or too long, or contains U+0000
     */
    public static AggregateType<Payload> eventType(String eventType) {
        requireShort("event type", eventType);
        return aggregateType -> {
            requireText("aggregate type", aggregateType);
            return aggregateId -> {
                requireStorable("aggregate id", aggregateId);
                return (payload, contentType) ->
                        new OutboxEvent(null, aggregateType, aggregateId, eventType, payload, contentType, Map.of());
            };
        };
    }

    /**
     * The step that names the type of the aggregate.
     *
     * @param <N> what follows the aggregate
     */
    public interface AggregateType<N> {

        /**
         * Names the type.
         *
         * @param aggregateType the kind of thing that the event happened to, for example {@code Order}
         * @return the next step
         * @throws IllegalArgumentException if it is empty or contains U+0000
         */
        AggregateId<N> aggregateType(String aggregateType);
    }

    /**
     * The step that names the aggregate.
     *
     * @param <N> what follows the aggregate
     */
    public interface AggregateId<N> {

        /**
         * Names the aggregate.
         *
         * @param aggregateId the one that the event happened to. The events of one aggregate are published in the order
         *     in which they were written.
         * @return the next step, or the event
         * @throws IllegalArgumentException if it contains U+0000
         */
        N aggregateId(String aggregateId);
    }

    /** The last step. */
    public interface Payload {

        /**
         * Adds the body.
         *
         * @param payload published unchanged. The array is not copied: do not change it afterwards.
         * @param contentType of the payload, for example {@code application/json}; at most 255 bytes in UTF-8
         * @return the event
         * @throws IllegalArgumentException if the content type is empty or too long, or contains U+0000
         */
        OutboxEvent payload(byte[] payload, String contentType);
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
     * @param value any text without U+0000. RabbitMQ's own records of a message, such as {@code x-death}, are not
     *     published; {@code CC} and {@code BCC}, which add routing keys, make the relay refuse the event.
     * @return the changed event
     */
    public OutboxEvent withHeader(String name, String value) {
        Map<String, String> more = new LinkedHashMap<>(headers);
        more.put(name, value);
        return new OutboxEvent(id, aggregateType, aggregateId, eventType, payload, contentType, more);
    }

    /** {@return what identifies the event wherever it goes; null lets the {@link Outbox} choose} */
    public @Nullable UUID id() {
        return id;
    }

    /** {@return the kind of thing that the event happened to} */
    public String aggregateType() {
        return aggregateType;
    }

    /** {@return the thing that the event happened to} */
    public String aggregateId() {
        return aggregateId;
    }

    /** {@return what happened} */
    public String eventType() {
        return eventType;
    }

    /** {@return the body itself, not a copy} */
    public byte[] payload() {
        return payload;
    }

    /** {@return the content type of the payload} */
    public String contentType() {
        return contentType;
    }

    /** {@return the service's own headers, unmodifiable} */
    public Map<String, String> headers() {
        return headers;
    }

    private static String requireStorable(String what, String text) {
        Objects.requireNonNull(text, () -> "The " + what + " of an event is null");
        if (text.indexOf('\0') >= 0) {
            throw new IllegalArgumentException(
                    "The " + what + " of an event contains U+0000, which PostgreSQL cannot store");
        }
        return text;
    }

    private static String requireText(String what, String text) {
        Objects.requireNonNull(text, () -> "The " + what + " of an event is null");
        if (text.isEmpty()) {
            throw new IllegalArgumentException("The " + what + " of an event is empty");
        }
        return requireStorable(what, text);
    }

    private static String requireShort(String what, String text) {
        Objects.requireNonNull(text, () -> "The " + what + " of an event is null");
        int bytes = text.getBytes(StandardCharsets.UTF_8).length;
        if (bytes > SHORT_STRING_BYTES) {
            throw new IllegalArgumentException("The " + what + " of an event has " + bytes
                    + " bytes, AMQP carries at most " + SHORT_STRING_BYTES + ": " + text);
        }
        return requireText(what, text);
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
