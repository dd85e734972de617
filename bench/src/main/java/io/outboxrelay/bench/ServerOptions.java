package io.outboxrelay.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** The options of a measurement that name its database and its broker, if they are not its own. */
final class ServerOptions {

    @Option(
            names = "--jdbc-url",
            paramLabel = "URL",
            description = "PostgreSQL to use; its schema outbox_bench is dropped.")
    private @Nullable String jdbcUrl;

    @Option(names = "--user", paramLabel = "NAME", description = "User with the right to create a schema there.")
    private @Nullable String user;

    @Option(names = "--password-file", paramLabel = "FILE", description = "File with the user's password.")
    private @Nullable Path passwordFile;

    @Option(
            names = "--amqp-uri",
            paramLabel = "URI",
            description = "RabbitMQ to use; its queue outbox-bench is deleted.")
    private @Nullable String amqpUri;

    @Spec(Spec.Target.MIXEE)
    private @Nullable CommandSpec command;

    /**
     * The named servers; those that are not named are started.
     *
     * @throws ParameterException if a database is named without a user
     */
    Servers open() throws IOException {
        return new Servers(database(), amqpUri == null ? null : new Servers.Broker("the named broker", amqpUri));
    }

    private Servers.@Nullable Database database() throws IOException {
        if (jdbcUrl == null) {
            return null;
        }
        if (user == null) {
            throw wrong("--jdbc-url needs --user");
        }
        String password =
                passwordFile == null ? "" : Files.readString(passwordFile).strip();
        return new Servers.Database("the named database", jdbcUrl, user, password);
    }

    private RuntimeException wrong(String message) {
        return command == null
                ? new IllegalStateException(message)
                : new ParameterException(command.commandLine(), message);
    }
}
