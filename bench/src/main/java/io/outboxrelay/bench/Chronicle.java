package io.outboxrelay.bench;

import java.io.PrintWriter;
import java.time.Duration;
import java.util.Locale;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/** Prints what happens in a chaos run, a line each, with the time since its beginning. Any thread may call it. */
final class Chronicle {

    private final PrintWriter out;
    private final long begun = System.nanoTime();
    private final AtomicInteger kills = new AtomicInteger();

    Chronicle(PrintWriter out) {
        this.out = out;
    }

    void tell(String what) {
        out.println(String.format(Locale.ROOT, "%6.1f s  %s", (System.nanoTime() - begun) / 1e9, what));
    }

    /** Prints that something is about to get SIGKILL, and counts it. */
    void kill(String what) {
        kills.incrementAndGet();
        tell(what + " is killed");
    }

    /** Freezes something for a time, and resumes it. */
    void freeze(String what, Duration time, Runnable freeze, Runnable thaw) throws InterruptedException {
        tell("%s is frozen for %d ms".formatted(what, time.toMillis()));
        freeze.run();
        try {
            TimeUnit.MILLISECONDS.sleep(time.toMillis());
        } finally {
            thaw.run();
        }
    }

    /** How many got SIGKILL so far. */
    int kills() {
        return kills.get();
    }
}
