package io.outboxrelay.relay.lane;

import java.time.Duration;

/**
 * Bounds of one lane's cycle.
 *
 * @param batchEvents maximum number of events that one claim reads
 * @param batchBytes maximum of payload bytes that one claim reads; one event is read even if it has more
 * @param eventsPerAggregate maximum number of events of one aggregate that one cycle publishes
 * @param windowEvents maximum number of events in flight: published and not answered
 * @param windowBytes maximum of payload bytes in flight
 * @param maxEventBytes an event with a larger payload is refused without reading the payload
 * @param confirmDeadline maximum time in which the broker must answer an event
 */
public record LaneSettings(
        int batchEvents,
        long batchBytes,
        int eventsPerAggregate,
        int windowEvents,
        long windowBytes,
        int maxEventBytes,
        Duration confirmDeadline) {}
