package io.outboxrelay.samples.customers;

import java.time.Instant;
import java.time.OffsetDateTime;

/**
 * Position of an event in the history of its aggregate.
 *
 * @param version of the aggregate, after the event
 * @param happenedAt by the clock of the database
 */
record Stamp(int version, OffsetDateTime happenedAt) {

    Instant at() {
        return happenedAt.toInstant();
    }
}
