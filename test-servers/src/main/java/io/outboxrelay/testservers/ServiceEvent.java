package io.outboxrelay.testservers;

import com.rabbitmq.client.AMQP;
import java.nio.charset.StandardCharsets;
import java.util.UUID;

/**
 * An event as its service wrote it, and as a consumer reads it from a message.
 *
 * @param id the event's id
 * @param aggregate the number of its aggregate
 * @param sequence its number among the events of the aggregate, from 1
 */
public record ServiceEvent(UUID id, int aggregate, long sequence) {

    /**
     * Reads an event whose payload is its sequence.
     *
     * @param properties as the relay sets them
     * @param body the payload
     * @return the event
     */
    public static ServiceEvent read(AMQP.BasicProperties properties, byte[] body) {
        return new ServiceEvent(
                UUID.fromString(properties.getMessageId()),
                Integer.parseInt(String.valueOf(properties.getHeaders().get("aggregate_id"))),
                Long.parseLong(new String(body, StandardCharsets.UTF_8)));
    }

    @Override
    public String toString() {
        return "%s (aggregate %d, sequence %d)".formatted(id, aggregate, sequence);
    }
}
