package io.outboxrelay.client;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;

/** What a consumer has done since its start. Written and read by many threads. */
final class ConsumerCounts {

    static final Duration OLDEST = Duration.ofDays(365);

    final AtomicLong handled = new AtomicLong();
    final AtomicLong transactions = new AtomicLong();
    final AtomicLong duplicates = new AtomicLong();
    final AtomicLong retried = new AtomicLong();
    final AtomicLong contentions = new AtomicLong();
    final AtomicLong deadLettered = new AtomicLong();
    final AtomicLong parked = new AtomicLong();
    final AtomicLong waiting = new AtomicLong();
    final AtomicLong handlingNanos = new AtomicLong();
    final AtomicLong ageMillis = new AtomicLong();

    /** A transaction has committed, with these events; one without a new event does not count. */
    void committed(List<Fate> fates) {
        if (fates.contains(Fate.HANDLED)) {
            transactions.incrementAndGet();
        }
    }

    /** An event is done; its share of the transaction's time is given in nanoseconds. */
    void done(ReceivedEvent event, Fate fate, long nanos) {
        switch (fate) {
            case DUPLICATE -> duplicates.incrementAndGet();
            case WAITING -> waiting.incrementAndGet();
            case HANDLED -> handled(event, nanos);
            case PARKED -> parked.incrementAndGet();
        }
    }

    private void handled(ReceivedEvent event, long nanos) {
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
