package io.outboxrelay.client;

import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.atomic.AtomicLong;

/** What a consumer has done since its start. Written by its thread, read by any. */
final class ConsumerCounts {

    static final Duration OLDEST = Duration.ofDays(365);

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
            ageMillis.addAndGet(age(occurredAt, Instant.now()).toMillis());
        }
    }

    /**
     * The time in a message is any number that its publisher chose. The clocks of two hosts may differ, so an age is
     * never below zero. An age above a year counts as a year, or one event would ruin the sum.
     */
    static Duration age(Instant occurredAt, Instant now) {
        if (occurredAt.isAfter(now)) {
            return Duration.ZERO;
        }
        return occurredAt.isBefore(now.minus(OLDEST)) ? OLDEST : Duration.between(occurredAt, now);
    }
}
