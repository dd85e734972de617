package io.outboxrelay.relay.source;

import java.time.Duration;

/**
 * How lanes are held.
 *
 * @param duration how long a lease lasts after its last renewal; another relay takes over a dead one's lanes after it
 * @param heartbeat how often leases are renewed and the sharing of the lanes is looked at
 */
public record LeaseSettings(Duration duration, Duration heartbeat) {}
