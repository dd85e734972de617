package io.outboxrelay.bench;

import java.io.PrintWriter;
import java.util.Locale;
import java.util.concurrent.atomic.AtomicInteger;

/** What happens in a chaos run, a line each, with the time since its beginning. Any thread may tell. */
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

    /** Tells that something is about to get SIGKILL, and counts it. */
    void kill(String what) {
        kills.incrementAndGet();
        tell(what + " is killed");
    }

    /** How many got SIGKILL so far. */
    int kills() {
        return kills.get();
    }
}
