package io.outboxrelay.relay.lane;

import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * Bounds of a replay.
 *
 * @param eventsPerSecond most events that are sent in a second
 * @param windowEvents most events that are published and not yet answered by the broker
 * @param windowBytes most payload bytes that are published and not yet answered
 * @param confirmDeadline how long the broker may take to answer one event
 * @param again wait before an event is sent again that the broker did not take or did not answer
 * @param policy says which events may be dropped when no queue is bound for them; null where all must arrive
 * @param skipFailed whether to go on behind an event that cannot be sent, instead of ending there
 */
public record ReplaySettings(
        int eventsPerSecond,
        int windowEvents,
        long windowBytes,
        Duration confirmDeadline,
        Duration again,
        @Nullable FailurePolicy policy,
        boolean skipFailed) {}
