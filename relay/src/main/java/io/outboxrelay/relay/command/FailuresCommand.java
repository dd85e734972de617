package io.outboxrelay.relay.command;

import java.util.Map;
import java.util.Objects;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

@Command(
        name = "failures",
        mixinStandardHelpOptions = true,
        description =
                "Shows and mends events that could not be published. Works on the databases alone, with or without a "
                        + "running relay.")
final class FailuresCommand implements Callable<Integer> {

    @Spec
    private @Nullable CommandSpec spec;

    private FailuresCommand() {}

    static CommandLine commandLine(Map<String, String> environment) {
        return new CommandLine(new FailuresCommand())
                .addSubcommand(new FailuresListCommand(environment))
                .addSubcommand(new FailuresShowCommand(environment))
                .addSubcommand(new FailuresRetryCommand(environment))
                .addSubcommand(new FailuresDiscardCommand(environment));
    }

    @Override
    public Integer call() {
        throw new ParameterException(
                Objects.requireNonNull(spec).commandLine(), "Say what to do: list, show, retry or discard.");
    }
}
