package io.outboxrelay.client;

import java.time.Duration;
import org.slf4j.Logger;

/** Logs a fault that may repeat: the first time at once, then once a minute with a count. Safe for many threads. */
final class FaultLog {

    private static final long PAUSE = Duration.ofMinutes(1).toNanos();

    private final Logger log;
    private int suppressed;
    private boolean faulty;
    private long loggedAt;

    FaultLog(Logger log) {
        this.log = log;
    }

    synchronized void fault(String message, Throwable cause) {
        long now = System.nanoTime();
        if (faulty && now - loggedAt < PAUSE) {
            suppressed++;
            return;
        }
        log.warn(
                "{}: {}{}",
                message,
                Causes.inWords(cause),
                suppressed == 0 ? "" : " (and " + suppressed + " times before)");
        faulty = true;
        suppressed = 0;
        loggedAt = now;
    }

    /** Says so if there was a fault. */
    synchronized void recovered(String message) {
        if (faulty) {
            log.info(message);
        }
        faulty = false;
        suppressed = 0;
    }
}
