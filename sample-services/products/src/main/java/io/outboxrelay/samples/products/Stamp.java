package io.outboxrelay.samples.products;

import java.time.Instant;
import java.time.LocalDateTime;
import java.time.ZoneOffset;

/**
 * Position of an event in the history of its aggregate.
 *
 * @param version of the aggregate, after the event
 * @param happenedAt by the clock of the database, UTC
 */
record Stamp(int version, LocalDateTime happenedAt) {

    Instant at() {
        return happenedAt.toInstant(ZoneOffset.UTC);
    }
}
