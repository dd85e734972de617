package io.outboxrelay.relay.command;

import io.outboxrelay.relay.operations.Printable;
import java.io.PrintWriter;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/**
 * Where a command answers: results go to standard output, everything else to standard error. A mixin of commands and of their
 * options; the annotation is there because picocli takes no mixin without one.
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

    /** Says what the command is at; no part of its result. */
    void note(String line) {
        PrintWriter err = commandLine().getErr();
        err.println(line);
        err.flush();
    }

    /** Says what works and should not stay as it is. */
    void warn(String warning) {
        note("Warning: " + Printable.lines(warning));
    }

    /** Says what could not be done. */
    void problem(String sentences) {
        note("outbox-relay: " + Printable.lines(sentences));
    }

    /** {@return what ends the command with status 2, a sentence and where its help is} */
    ParameterException wrongUse(String sentence) {
        return new ParameterException(commandLine(), sentence);
    }

    private CommandLine commandLine() {
        return Objects.requireNonNull(spec).commandLine();
    }
}
