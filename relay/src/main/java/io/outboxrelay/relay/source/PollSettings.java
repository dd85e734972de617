package io.outboxrelay.relay.source;

import java.time.Duration;

/**
 * How often idle lanes are looked at.
 *
 * @param shortest wait between two looks while events are coming
 * @param longest wait between two looks after a while without events
 */
public record PollSettings(Duration shortest, Duration longest) {}
