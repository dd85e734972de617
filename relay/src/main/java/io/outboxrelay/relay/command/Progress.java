package io.outboxrelay.relay.command;

import java.time.Duration;
import java.util.function.LongConsumer;

/** Says every few seconds how far a long command is. */
final class Progress implements LongConsumer {

    private static final Duration INTERVAL = Duration.ofSeconds(3);

    private final Console console;
    private final String source;
    private final long total;
    private long said = System.nanoTime();

    Progress(Console console, String source, long total) {
        this.console = console;
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
            console.note("source %s: %s of %s%s"
                    .formatted(source, Words.number(done), Words.number(total), where.isEmpty() ? "" : ", " + where));
        }
    }
}
