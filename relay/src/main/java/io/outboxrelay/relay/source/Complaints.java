package io.outboxrelay.relay.source;

import io.outboxrelay.relay.database.DatabaseMessage;
import io.outboxrelay.relay.lane.Count;
import io.outboxrelay.relay.lane.OncePerMinute;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.Marker;

/** Logs the faults of something that is done again and again, and their end. Thread-safe. */
final class Complaints {

    private final Logger log;
    private final Marker help;
    private final String subject;
    private final String consequence;
    private final OncePerMinute reports = new OncePerMinute();
    private long count;
    private @Nullable String current;

    /**
     * @param log where to
     * @param help the section about such faults
     * @param subject what is done again and again
     * @param consequence what follows when it fails
     */
    Complaints(Logger log, Marker help, String subject, String consequence) {
        this.log = log;
        this.help = help;
        this.subject = subject;
        this.consequence = consequence;
    }

    synchronized void failed(Exception e) {
        count++;
        current = DatabaseMessage.of(e);
        log.debug("{} failed", subject, e);
        reports.occurred(since -> log.warn(
                help,
                "{} failed{}: {}; {}",
                subject,
                count == 1 ? "" : " " + Count.of(count, "time") + " so far",
                current,
                consequence));
    }

    synchronized void succeeded() {
        if (count > 0) {
            log.info("{} works again after {}", subject, Count.of(count, "failure"));
            count = 0;
            current = null;
            reports.reset();
        }
    }

    /** Returns the fault as long as it lasts. */
    synchronized @Nullable String current() {
        return current;
    }
}
