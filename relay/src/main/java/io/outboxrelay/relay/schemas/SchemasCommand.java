package io.outboxrelay.relay.schemas;

import java.util.Map;
import java.util.Objects;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** The parent of all commands about contracts. */
@Command(
        name = "schemas",
        mixinStandardHelpOptions = true,
        description = "Checks the contracts of events, shows them, and exchanges them with a registry.",
        footer = {"", "Exit status: 0 fine, 1 findings, 2 wrong use."})
public final class SchemasCommand implements Callable<Integer> {

    @Spec
    private @Nullable CommandSpec spec;

    private SchemasCommand() {}

    /**
     * The command with all its subcommands.
     *
     * @param environment where credentials for a registry may be
     * @return the command, to be added to the program's
     */
    public static CommandLine commandLine(Map<String, String> environment) {
        return new CommandLine(new SchemasCommand())
                .addSubcommand(new ValidateCommand())
                .addSubcommand(new CheckCommand())
                .addSubcommand(new CompareCommand())
                .addSubcommand(new DocsCommand())
                .addSubcommand(new TestCompatibilityCommand(environment))
                .addSubcommand(new RegisterCommand(environment))
                .addSubcommand(new DownloadCommand(environment))
                .addSubcommand(new ListCommand(environment));
    }

    @Override
    public Integer call() {
        CommandLine command = Objects.requireNonNull(spec).commandLine();
        throw new ParameterException(
                command,
                "Say what to do: " + String.join(", ", command.getSubcommands().keySet()) + ".");
    }
}
