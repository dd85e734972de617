package io.outboxrelay.client;

import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.atomic.AtomicLong;

/** What a consumer has done since its start. Written by its thread, read by any. */
final class ConsumerCounts {

    final AtomicLong handled = new AtomicLong();
    final AtomicLong duplicates = new AtomicLong();
    final AtomicLong retried = new AtomicLong();
    final AtomicLong contentions = new AtomicLong();
    final AtomicLong deadLettered = new AtomicLong();
    final AtomicLong handlingNanos = new AtomicLong();
    final AtomicLong ageMillis = new AtomicLong();

    /** An event was handled, or found in the inbox, in a transaction of this length that has committed. */
    void done(ReceivedEvent event, boolean duplicate, long nanos) {
        if (duplicate) {
            duplicates.incrementAndGet();
            return;
        }
        handled.incrementAndGet();
        handlingNanos.addAndGet(nanos);
        Instant occurredAt = event.occurredAt();
        if (occurredAt != null) {
            // The clocks of two hosts may differ: an age is never below zero.
            ageMillis.addAndGet(
                    Math.max(0, Duration.between(occurredAt, Instant.now()).toMillis()));
        }
    }
}
