package io.outboxrelay.relay.source;

import io.outboxrelay.relay.database.DatabaseMessage;
import java.time.Duration;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;

/**
 * Logs a fault that may come again and again: the first time at once, then one summary a minute with a count, and its
 * end. Thread-safe.
 */
final class Complaints {

    private static final Duration REPEATED_AFTER = Duration.ofMinutes(1);

    private final Logger log;
    private final String subject;
    private final String consequence;
    private long count;
    private long loggedAt;
    private @Nullable String current;

    /**
     * @param log where to
     * @param subject what is done again and again
     * @param consequence what follows when it fails
     */
    Complaints(Logger log, String subject, String consequence) {
        this.log = log;
        this.subject = subject;
        this.consequence = consequence;
    }

    synchronized void failed(Exception e) {
        count++;
        current = DatabaseMessage.of(e);
        long now = System.nanoTime();
        if (count == 1) {
            log.warn("{} failed: {}; {}", subject, current, consequence);
            log.debug("{} failed", subject, e);
            loggedAt = now;
        } else if (now - loggedAt > REPEATED_AFTER.toNanos()) {
            log.warn("{} failed {} times so far: {}; {}", subject, count, current, consequence);
            loggedAt = now;
        }
    }

    synchronized void succeeded() {
        if (count > 0) {
            log.info("{} works again after {} failures", subject, count);
            count = 0;
            current = null;
        }
    }

    /** Returns the fault as long as it lasts. */
    synchronized @Nullable String current() {
        return current;
    }
}
