package io.outboxrelay.relay.command;

import io.outboxrelay.relay.operations.Printable;
import java.io.PrintWriter;
import java.time.Duration;
import java.util.Objects;
import java.util.function.LongConsumer;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/**
 * Where a command answers: results go to standard output, everything else to standard error. A mixin of commands and of
 * their options; the annotation is there because picocli takes no mixin without one.
 */
@Command
final class Console {

    @Spec(Spec.Target.MIXEE)
    private @Nullable CommandSpec spec;

    /** Prints a result of several lines, at once. */
    void print(String text) {
        PrintWriter out = commandLine().getOut();
        out.print(text);
        out.flush();
    }

    /** Prints a line of the result, at once. */
    void println(String line) {
        PrintWriter out = commandLine().getOut();
        out.println(line);
        out.flush();
    }

    /** Reports what the command is doing; not part of its result. */
    void note(String line) {
        PrintWriter err = commandLine().getErr();
        err.println(line);
        err.flush();
    }

    /** Reports something that works but should be changed. */
    void warn(String warning) {
        note("Warning: " + Printable.lines(warning));
    }

    /** Reports what could not be done. */
    void problem(String sentences) {
        note("outbox-relay: " + Printable.lines(sentences));
    }

    /** {@return what ends the command with status 2, the sentence, and a pointer to its help} */
    ParameterException wrongUse(String sentence) {
        return new ParameterException(commandLine(), sentence);
    }

    private CommandLine commandLine() {
        return Objects.requireNonNull(spec).commandLine();
    }

    /** Reports every few seconds how far a long command has got. */
    final class Progress implements LongConsumer {

        private static final Duration INTERVAL = Duration.ofSeconds(3);

        private final String what;
        private final long total;
        private long reported = System.nanoTime();

        /**
         * @param what the command works on
         * @param total number of events to work on
         */
        Progress(String what, long total) {
            this.what = what;
            this.total = total;
        }

        @Override
        public void accept(long done) {
            accept(done, "");
        }

        /** Reports how far it is, and at which place. */
        void accept(long done, String place) {
            if (System.nanoTime() - reported >= INTERVAL.toNanos()) {
                reported = System.nanoTime();
                note("%s: %s of %s%s".formatted(what, Words.number(done), Words.number(total), place));
            }
        }
    }
}
