package io.outboxrelay.relay.schemas;

import java.io.UncheckedIOException;
import java.util.function.Supplier;
import picocli.CommandLine;
import picocli.CommandLine.ParameterException;

/** A place that is not there, a revision that git does not know, a file that is no schema: exit status 2. */
final class WrongUse {

    private WrongUse() {}

    static <T> T unless(CommandLine command, Supplier<T> work) {
        try {
            return work.get();
        } catch (IllegalArgumentException | IllegalStateException | UncheckedIOException e) {
            String cause = e.getCause() == null ? "" : " (" + e.getCause() + ")";
            throw new ParameterException(command, e.getMessage() + cause + ".", e);
        }
    }
}
