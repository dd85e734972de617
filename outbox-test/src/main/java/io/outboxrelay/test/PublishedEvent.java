package io.outboxrelay.test;

import io.outboxrelay.client.ReceivedEvent;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Map;
import java.util.UUID;

/**
 * An event in the outbox.
 *
 * @param id as {@code publish} returned it
 * @param eventType what happened
 * @param aggregateType the kind of thing that it happened to
 * @param aggregateId which one
 * @param payload the body
 * @param contentType of the payload
 * @param headers the service's own, and those of its trace
 */
public record PublishedEvent(
        UUID id,
        String eventType,
        String aggregateType,
        String aggregateId,
        byte[] payload,
        String contentType,
        Map<String, String> headers) {

    /**
     * The event as a consumer would receive it.
     *
     * @return with the present time, because the relay would send it now
     */
    public ReceivedEvent received() {
        return new ReceivedEvent(
                id,
                eventType,
                aggregateType,
                aggregateId,
                payload,
                contentType,
                headers,
                Instant.now().truncatedTo(ChronoUnit.SECONDS),
                false);
    }

    /** Type, aggregate and payload, for the messages of failed assertions. */
    @Override
    public String toString() {
        String body = contentType.contains("json") || contentType.startsWith("text/")
                ? new String(payload, StandardCharsets.UTF_8)
                : payload.length + " bytes of " + contentType;
        return eventType + " of " + aggregateType + " " + aggregateId + ": " + body;
    }
}
