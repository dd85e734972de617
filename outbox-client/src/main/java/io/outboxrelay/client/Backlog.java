package io.outboxrelay.client;

import java.time.Duration;

/**
 * What an outbox holds that is not yet published. Events that failed have left it and do not count.
 *
 * @param events their number, counted up to a limit
 * @param oldest age of the one that was written first, by the database's clock; zero if there is none
 */
public record Backlog(long events, Duration oldest) {

    static Backlog of(long events, double oldestSeconds) {
        return new Backlog(events, Duration.ofMillis(Math.max(0, Math.round(oldestSeconds * 1_000))));
    }
}
