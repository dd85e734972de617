package io.outboxrelay.client;

import static io.outboxrelay.client.ForeignText.printable;

import com.rabbitmq.client.AMQP;
import com.rabbitmq.client.Delivery;
import com.rabbitmq.client.LongString;
import java.time.Instant;
import java.util.Collections;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * An event as it came from the broker.
 *
 * @param id the event's id
 * @param type what happened, empty if the message does not say
 * @param aggregateType what kind of thing it happened to, empty if the message does not say
 * @param aggregateId which one, empty if the message does not say
 * @param payload the body, as the service wrote it. The array is not copied.
 * @param contentType of the payload, if the message says
 * @param headers the service's own headers that are text, numbers or truth values, without the lane and without the
 *     broker's records of the message, such as {@code x-death} and {@code x-delivery-count}
 * @param occurredAt when it was written, to the second, if the message says
 * @param redelivered whether the broker may have delivered it before
 */
public record ReceivedEvent(
        UUID id,
        String type,
        String aggregateType,
        String aggregateId,
        byte[] payload,
        @Nullable String contentType,
        Map<String, String> headers,
        @Nullable Instant occurredAt,
        boolean redelivered) {

    /**
     * Headers in which RabbitMQ and its plugins, from 3.10 to 4.3, keep their own record of a message. The relay has
     * the same list, and publishes none of them.
     */
    private static final Set<String> RECORDS = Set.of(
            "x-death",
            "x-first-death-exchange",
            "x-first-death-queue",
            "x-first-death-reason",
            "x-last-death-exchange",
            "x-last-death-queue",
            "x-last-death-reason",
            "x-opt-deaths",
            "x-delivery-count",
            "x-acquired-count",
            "x-received-from",
            "x-shovelled",
            "x-shovelled-timestamp",
            "x-stream-offset");

    /** Names the event; its payload and its headers' values stay out of logs. */
    @Override
    public String toString() {
        return "ReceivedEvent[" + printable(type) + " of " + printable(aggregateType) + " " + printable(aggregateId)
                + ", id=" + id + ", " + payload.length + " bytes of " + printable(String.valueOf(contentType))
                + ", headers=" + printable(headers.keySet().toString()) + ", redelivered=" + redelivered + "]";
    }

    /** Reads a delivery, or says that it carries no event: without an id nothing can be remembered about it. */
    static Optional<ReceivedEvent> from(Delivery delivery) {
        AMQP.BasicProperties properties = delivery.getProperties();
        return id(properties.getMessageId()).map(id -> {
            Map<String, String> headers = headers(properties);
            String aggregateType = headers.remove("aggregate_type");
            String aggregateId = headers.remove("aggregate_id");
            headers.remove("outbox_lane");
            return new ReceivedEvent(
                    id,
                    Objects.requireNonNullElse(properties.getType(), ""),
                    Objects.requireNonNullElse(aggregateType, ""),
                    Objects.requireNonNullElse(aggregateId, ""),
                    delivery.getBody(),
                    properties.getContentType(),
                    Collections.unmodifiableMap(headers),
                    properties.getTimestamp() == null
                            ? null
                            : properties.getTimestamp().toInstant(),
                    delivery.getEnvelope().isRedeliver());
        });
    }

    private static Optional<UUID> id(@Nullable String messageId) {
        if (messageId == null) {
            return Optional.empty();
        }
        try {
            UUID id = UUID.fromString(messageId);
            // Java also reads shorter forms, under which two messages could seem to be one event.
            return id.toString().equalsIgnoreCase(messageId) ? Optional.of(id) : Optional.empty();
        } catch (IllegalArgumentException e) {
            return Optional.empty();
        }
    }

    private static Map<String, String> headers(AMQP.BasicProperties properties) {
        Map<String, String> headers = new HashMap<>();
        if (properties.getHeaders() != null) {
            properties.getHeaders().forEach((name, value) -> {
                boolean readable = value instanceof LongString || value instanceof Number || value instanceof Boolean;
                if (readable && !RECORDS.contains(name)) {
                    headers.put(name, value.toString());
                }
            });
        }
        return headers;
    }
}
