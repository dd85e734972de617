package io.outboxrelay.bench;

import java.util.UUID;

/**
 * An event as the service that wrote it knows it, and as it can be read from a message.
 *
 * @param id the event's id
 * @param aggregate the number of its aggregate
 * @param sequence its number among those of the aggregate, from 1
 */
record ServiceEvent(UUID id, int aggregate, long sequence) {

    /** Reads the body of a message. */
    static ServiceEvent read(UUID id, String payload) {
        String[] parts = payload.split(" ");
        return new ServiceEvent(id, Integer.parseInt(parts[0]), Long.parseLong(parts[1]));
    }

    /** The body of its message. */
    String payload() {
        return aggregate + " " + sequence;
    }

    @Override
    public String toString() {
        return "%s (aggregate %d, sequence %d)".formatted(id, aggregate, sequence);
    }
}
