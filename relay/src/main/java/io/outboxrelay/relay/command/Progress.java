package io.outboxrelay.relay.command;

import java.io.PrintWriter;
import java.time.Duration;
import java.util.function.LongConsumer;

/** Says every few seconds how far a long command is. */
final class Progress implements LongConsumer {

    private static final Duration INTERVAL = Duration.ofSeconds(3);

    private final PrintWriter err;
    private final String source;
    private final long total;
    private long said = System.nanoTime();

    Progress(PrintWriter err, String source, long total) {
        this.err = err;
        this.source = source;
        this.total = total;
    }

    @Override
    public void accept(long done) {
        accept(done, "");
    }

    /** Says how far it is and where that is. */
    void accept(long done, String where) {
        if (System.nanoTime() - said >= INTERVAL.toNanos()) {
            said = System.nanoTime();
            err.println("source %s: %s of %s%s"
                    .formatted(source, Words.number(done), Words.number(total), where.isEmpty() ? "" : ", " + where));
            err.flush();
        }
    }
}
