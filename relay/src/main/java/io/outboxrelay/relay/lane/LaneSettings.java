package io.outboxrelay.relay.lane;

import java.time.Duration;

/**
 * Bounds of one lane's cycle.
 *
 * @param batchEvents most events that one claim reads
 * @param batchBytes most payload bytes that one claim reads; one event is always read, whatever its size
 * @param eventsPerAggregate most events of one aggregate that one cycle publishes
 * @param windowEvents most events of one lane that are published and not yet answered by the broker
 * @param windowBytes most payload bytes of one lane that are published and not yet answered
 * @param maxEventBytes an event with a larger payload is refused without reading the payload
 * @param confirmDeadline how long the broker may take to answer one event
 */
public record LaneSettings(
        int batchEvents,
        long batchBytes,
        int eventsPerAggregate,
        int windowEvents,
        long windowBytes,
        int maxEventBytes,
        Duration confirmDeadline) {}
