package io.outboxrelay.bench;

import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** The program, which runs the chosen command. */
@Command(
        name = "outbox-bench",
        mixinStandardHelpOptions = true,
        description = "Measures Outbox Relay on this machine, or tests it with random faults.",
        subcommands = {
            WritersCommand.class,
            IdleCommand.class,
            LatencyCommand.class,
            BacklogCommand.class,
            SourcesCommand.class,
            DrainCommand.class,
            ConsumeCommand.class,
            GateCommand.class,
            ChartsCommand.class,
            ChaosCommand.class
        },
        footer = {"", "Exit status: 0 success, 1 failure, 2 wrong use."})
public final class Main implements Callable<Integer> {

    @Spec
    private @Nullable CommandSpec spec;

    private Main() {}

    /**
     * Runs one command and ends the process.
     *
     * @param arguments the command line
     */
    public static void main(String[] arguments) {
        int status = new CommandLine(new Main())
                .setCaseInsensitiveEnumValuesAllowed(true)
                .setExecutionExceptionHandler((failure, command, parsed) -> {
                    command.getErr().println("outbox-bench: " + failure.getMessage());
                    failure.printStackTrace(command.getErr());
                    return 1;
                })
                .execute(arguments);
        System.exit(status);
    }

    @Override
    public Integer call() {
        CommandSpec command = spec;
        throw new ParameterException(
                command == null ? new CommandLine(this) : command.commandLine(), "Say what to do.");
    }
}
