package io.outboxrelay.relay;

import io.outboxrelay.relay.command.Commands;
import io.outboxrelay.relay.configuration.ConfigurationException;
import io.outboxrelay.relay.database.DatabaseMessage;
import io.outboxrelay.relay.database.Failures.UnavailableException;
import io.outboxrelay.relay.operations.Logging;
import io.outboxrelay.relay.operations.Logging.LogSettings;
import io.outboxrelay.relay.operations.OperationsServer.CannotListenException;
import io.outboxrelay.relay.operations.Printable;
import io.outboxrelay.relay.rabbitmq.HistoryQueue.CannotSubscribeException;
import io.outboxrelay.relay.rabbitmq.Redrive.CannotRedriveException;
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
import picocli.CommandLine.IVersionProvider;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParseResult;
import picocli.CommandLine.Spec;
import picocli.CommandLine.UnmatchedArgumentException;

/**
 * The program: finds the requested command and runs it. Exit status 0 for success, 1 for failure, 2 for wrong use or a
 * wrong configuration.
 */
@Command(
        name = "outbox-relay",
        mixinStandardHelpOptions = true,
        description = "Publishes domain events from outbox tables to RabbitMQ, confirmed and in order.",
        footer = {"", "Exit status: 0 success, 1 failed, 2 wrong use or configuration."})
public final class Main implements Callable<Integer> {

    /** In seconds; https://docs.oracle.com/en/java/javase/17/docs/api/java.base/java/net/InetAddress.html */
    private static final String ADDRESSES_ARE_KEPT = "networkaddress.cache.ttl";

    /** Their messages are complete. Every other exception is a bug of the relay. */
    private static final Set<Class<? extends Exception>> REFUSALS = Set.of(
            ConfigurationException.class,
            OutboxSchemaException.class,
            UnavailableException.class,
            CannotListenException.class,
            CannotRedriveException.class,
            CannotSubscribeException.class);

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
     * Java caches the address of a name for 30 s, which is too long when a database or broker moves. A value that is
     * set in the {@code java.security} file is respected.
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
        setVersion(program);
        return program;
    }

    private static void setVersion(CommandLine command) {
        command.getCommandSpec().versionProvider(new Version());
        command.getSubcommands().values().forEach(Main::setVersion);
    }

    /** Fits on a screen: only the help of a command lists its many options. */
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
     * What failed and why; each cause that adds something gets a line. A bug of the relay is reported with its stack
     * trace.
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

    /** The version of the program, from the manifest of its jar. */
    static final class Version implements IVersionProvider {

        static String number() {
            @Nullable String version = Version.class.getPackage().getImplementationVersion();
            return version == null ? "development" : version;
        }

        @Override
        public String[] getVersion() {
            return new String[] {"outbox-relay " + number() + ", Java " + Runtime.version()};
        }
    }
}
