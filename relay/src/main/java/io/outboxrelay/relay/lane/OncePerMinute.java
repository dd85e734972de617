package io.outboxrelay.relay.lane;

import java.time.Duration;
import java.util.function.LongConsumer;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Decides when a fault that repeats is logged: the first time at once, then at most once a minute with the number of
 * occurrences since the last report. Thread-safe.
 */
public final class OncePerMinute {

    private static final long MINUTE = Duration.ofMinutes(1).toNanos();

    private final LongSupplier nanoTime;
    private long unreported;
    private @Nullable Long reportedAt;

    /** By the clock of this process. */
    public OncePerMinute() {
        this(System::nanoTime);
    }

    OncePerMinute(LongSupplier nanoTime) {
        this.nanoTime = nanoTime;
    }

    /**
     * Counts one occurrence and reports it if a report is due.
     *
     * @param log called with the number of occurrences since the last report, this one included
     */
    public void occurred(LongConsumer log) {
        add(1);
        report(log);
    }

    /** Counts occurrences without reporting them. */
    synchronized void add(long occurrences) {
        unreported += occurrences;
    }

    /** Reports what was counted if there is anything and a report is due. */
    void report(LongConsumer log) {
        long count = take();
        if (count > 0) {
            log.accept(count);
        }
    }

    private synchronized long take() {
        long now = nanoTime.getAsLong();
        if (unreported == 0 || reportedAt != null && now - reportedAt < MINUTE) {
            return 0;
        }
        long count = unreported;
        reportedAt = now;
        unreported = 0;
        return count;
    }

    /** Makes the next occurrence the first one: the fault has ended. */
    public synchronized void reset() {
        unreported = 0;
        reportedAt = null;
    }

    /**
     * Returns the end of a log line about the last of several occurrences.
     *
     * @param count how many there were
     */
    public static String andMore(long count) {
        return count == 1 ? "" : " (and " + (count - 1) + " more since the last report)";
    }
}
