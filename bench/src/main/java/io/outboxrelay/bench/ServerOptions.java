package io.outboxrelay.bench;

import io.outboxrelay.testservers.DatabaseKind;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
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
            description = "Database to use; its schema outbox_bench is dropped.")
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
     * @throws ParameterException if a database is named without a user, or is not PostgreSQL
     */
    Servers open() throws IOException {
        Servers servers = open(DatabaseKind.POSTGRESQL);
        if (servers.kind() != DatabaseKind.POSTGRESQL) {
            throw wrong("--jdbc-url: this measurement needs PostgreSQL");
        }
        return servers;
    }

    /**
     * The named servers, whatever kind the database has; those that are not named are started.
     *
     * @param kind of a database that is started
     * @throws ParameterException if a database is named without a user, or of an unknown kind
     */
    Servers open(DatabaseKind kind) throws IOException {
        return new Servers(kind, database(), amqpUri == null ? null : new Servers.Broker("the named broker", amqpUri));
    }

    private Servers.@Nullable Database database() throws IOException {
        String url = jdbcUrl;
        if (url == null) {
            return null;
        }
        if (user == null) {
            throw wrong("--jdbc-url needs --user");
        }
        DatabaseKind kind = Stream.of(DatabaseKind.values())
                .filter(one -> url.startsWith(one.scheme()))
                .findFirst()
                .orElseThrow(() -> wrong("--jdbc-url: no URL of PostgreSQL, MariaDB or MySQL: " + url));
        String password =
                passwordFile == null ? "" : Files.readString(passwordFile).strip();
        return new Servers.Database(kind, "the named database", url, user, password);
    }

    private RuntimeException wrong(String message) {
        return command == null
                ? new IllegalStateException(message)
                : new ParameterException(command.commandLine(), message);
    }
}
