package io.outboxrelay.bench;

import java.time.Duration;
import java.util.Locale;

/**
 * One measured run of a consumer, which has handled every event once.
 *
 * @param contender the consumer
 * @param events how many events
 * @param time from the last measurement without an effect to the first one with all of them committed
 * @param outOfOrder how many effects came after that of a later event of the same aggregate
 * @param cpu the processor time that was used meanwhile; for people to read
 */
record ConsumeRun(ConsumeContender contender, long events, Duration time, long outOfOrder, String cpu) {

    /** Events a second, without the start of the JVM. */
    double rate() {
        return events / seconds();
    }

    String describe() {
        return String.format(
                Locale.ROOT,
                "%s: %,.0f/s (%,d events once, %,d out of order, %.2f s from first to last)%n  %s",
                contender,
                rate(),
                events,
                outOfOrder,
                seconds(),
                cpu);
    }

    double seconds() {
        return time.toNanos() / 1e9;
    }
}
