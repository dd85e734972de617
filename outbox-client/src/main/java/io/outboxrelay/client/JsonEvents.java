package io.outboxrelay.client;

import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * Makes events whose payload is an object as JSON, and reads such events. Safe for use by many threads.
 *
 * <pre>{@code
 * outbox.publish(json.eventType("OrderPlaced").aggregateType("Order").aggregateId(orderId).payload(orderPlaced));
 * }</pre>
 *
 * <p>These are the steps of {@link OutboxEvent#eventType}, each with one text, so that no two can be confused; only the
 * last one takes an object instead of bytes. A method {@code publish("Order", orderId, "OrderPlaced", orderPlaced)}
 * would be shorter, and would compile with its texts in any order. The event type is not taken from the class: renaming
 * a class must not change what is published.
 */
public final class JsonEvents implements PayloadReader {

    /** The content type of every event that is made here. */
    public static final String CONTENT_TYPE = "application/json";

    private final Json json;

    /**
     * Events by a mapper of the application.
     *
     * @param json writes and reads the payloads
     */
    public JsonEvents(Json json) {
        this.json = json;
    }

    /**
     * Begins an event.
     *
     * @param eventType what happened, for example {@code OrderPlaced}; at most 255 bytes in UTF-8
     * @return the next steps name the aggregate; the last one takes the payload and makes the event
     * @throws IllegalArgumentException if it is empty or too long, or contains U+0000
     */
    public OutboxEvent.AggregateType<Payload> eventType(String eventType) {
        OutboxEvent.AggregateType<OutboxEvent.Payload> steps = OutboxEvent.eventType(eventType);
        return aggregateType -> {
            OutboxEvent.AggregateId<OutboxEvent.Payload> next = steps.aggregateType(aggregateType);
            return aggregateId -> {
                OutboxEvent.Payload last = next.aggregateId(aggregateId);
                return payload -> last.payload(json.write(payload), CONTENT_TYPE);
            };
        };
    }

    /** The last step. */
    public interface Payload {

        /**
         * Adds the body.
         *
         * @param payload written as JSON at once, so later changes of the object do not count
         * @return the event
         * @throws IllegalArgumentException if the mapper cannot write it; says why
         */
        OutboxEvent payload(Object payload);
    }

    /**
     * Reads the payload of an event whose content type is JSON or unknown.
     *
     * @throws EventRejectedException if it is of another content type, or does not fit the type
     */
    @Override
    public <T> T read(ReceivedEvent event, Class<T> type) {
        if (!isJson(event.contentType())) {
            throw new EventRejectedException("The payload of " + event + " is not JSON but "
                    + ForeignText.printable(String.valueOf(event.contentType())) + ": use its own reader");
        }
        String why;
        try {
            T payload = json.read(event.payload(), type);
            if (payload != null) {
                return payload;
            }
            why = "it is null";
        } catch (IllegalArgumentException e) {
            why = String.valueOf(e.getMessage());
        }
        throw new EventRejectedException("The payload of " + event + " cannot be used: " + why);
    }

    private static boolean isJson(@Nullable String contentType) {
        if (contentType == null) {
            return true;
        }
        String media = contentType.split(";", 2)[0].strip().toLowerCase(Locale.ROOT);
        return media.equals(CONTENT_TYPE) || media.endsWith("+json");
    }
}
