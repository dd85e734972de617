package io.outboxrelay.relay;

import io.outboxrelay.relay.command.Commands;
import io.outboxrelay.relay.configuration.ConfigurationException;
import io.outboxrelay.relay.database.DatabaseMessage;
import io.outboxrelay.relay.database.Failures.UnavailableException;
import io.outboxrelay.relay.operations.Logging;
import io.outboxrelay.relay.operations.Logging.LogSettings;
import io.outboxrelay.relay.operations.OperationsServer.CannotListenException;
import io.outboxrelay.relay.operations.Printable;
import io.outboxrelay.schema.OutboxSchemaException;
import io.outboxrelay.schemas.command.SchemasCommand;
import java.io.PrintWriter;
import java.security.Security;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParseResult;
import picocli.CommandLine.Spec;
import picocli.CommandLine.UnmatchedArgumentException;

/**
 * The program: finds the command that was asked for and runs it. Exit status 0 when all is well, 1 when it failed, 2 when
 * the command or the configuration is wrong.
 */
@Command(
        name = "outbox-relay",
        mixinStandardHelpOptions = true,
        description = "Publishes the domain events of outbox tables to RabbitMQ: confirmed and in order.",
        footer = {"", "Exit status: 0 fine, 1 failed, 2 wrong use or configuration."})
public final class Main implements Callable<Integer> {

    /** In seconds; https://docs.oracle.com/en/java/javase/17/docs/api/java.base/java/net/InetAddress.html */
    private static final String ADDRESSES_ARE_KEPT = "networkaddress.cache.ttl";

    /** Their messages say all that a person needs. Whatever else ends a command is a fault of our own. */
    private static final Set<Class<? extends Exception>> REFUSALS = Set.of(
            ConfigurationException.class,
            OutboxSchemaException.class,
            UnavailableException.class,
            CannotListenException.class);

    @Spec
    private @Nullable CommandSpec spec;

    private Main() {}

    /**
     * Runs one command and ends the process.
     *
     * @param arguments the command line
     */
    public static void main(String[] arguments) {
        forgetAddressesSoon();
        Logging.start(new LogSettings(LogSettings.Format.TEXT, LogSettings.Level.INFO), Logging.Stream.ERR);
        System.exit(commandLine(System.getenv()).execute(arguments));
    }

    /**
     * Java remembers for 30 s which address a name has: too long when the name of a database or broker moves. Somebody who set
     * it in the {@code java.security} file means it.
     */
    static void forgetAddressesSoon() {
        if (Security.getProperty(ADDRESSES_ARE_KEPT) == null) {
            Security.setProperty(ADDRESSES_ARE_KEPT, "5");
        }
    }

    static CommandLine commandLine(Map<String, String> environment) {
        CommandLine program = new CommandLine(new Main()).addSubcommand(new RunCommand(environment));
        Commands.addTo(program, environment)
                .addSubcommand(SchemasCommand.commandLine(environment, Printable::lines))
                .setCaseInsensitiveEnumValuesAllowed(true)
                .setParameterExceptionHandler(Main::wrongUse)
                .setExecutionExceptionHandler(Main::report);
        tellVersion(program);
        return program;
    }

    private static void tellVersion(CommandLine command) {
        command.getCommandSpec().versionProvider(new Version());
        command.getSubcommands().values().forEach(Main::tellVersion);
    }

    /** In one screen: the many options of a command are shown by its help. */
    private static int wrongUse(ParameterException fault, String[] arguments) {
        CommandLine command = fault.getCommandLine();
        PrintWriter err = command.getErr();
        err.println(Printable.lines(String.valueOf(fault.getMessage())));
        if (!UnmatchedArgumentException.printSuggestions(fault, err)) {
            if (command.getSubcommands().isEmpty()) {
                err.println("See: " + command.getCommandSpec().qualifiedName() + " --help");
            } else {
                command.usage(err);
            }
        }
        return command.getCommandSpec().exitCodeOnInvalidInput();
    }

    private static int report(Exception failure, CommandLine command, ParseResult parsed) {
        command.getErr().println(Printable.lines(message(failure)));
        return failure instanceof ConfigurationException ? 2 : 1;
    }

    /**
     * What failed and why, each cause that says something new on a line. Of a fault of our own the whole stack is shown, so
     * that it can be repaired.
     */
    private static String message(Exception failure) {
        boolean foreseen = REFUSALS.contains(failure.getClass());
        StringBuilder message = new StringBuilder("outbox-relay: ");
        message.append(foreseen ? failure.getMessage() : failure.toString());
        for (Throwable cause = failure.getCause(); cause != null; cause = cause.getCause()) {
            String why = why(cause);
            if (message.indexOf(why) < 0) {
                message.append("\n  because: ").append(why);
            }
        }
        if (!foreseen) {
            for (StackTraceElement element : failure.getStackTrace()) {
                message.append("\n  at ").append(element);
            }
        }
        return message.toString();
    }

    private static String why(Throwable cause) {
        return DatabaseMessage.saidBy(cause)
                .orElseGet(() -> cause.getMessage() == null ? cause.toString() : cause.getMessage());
    }

    @Override
    public Integer call() {
        throw new ParameterException(Objects.requireNonNull(spec).commandLine(), "Say which command to run.");
    }
}
