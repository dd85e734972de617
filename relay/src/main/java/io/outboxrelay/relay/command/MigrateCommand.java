package io.outboxrelay.relay.command;

import io.outboxrelay.relay.configuration.SecretFile;
import io.outboxrelay.relay.operations.DirectConnections;
import io.outboxrelay.relay.source.Dialects;
import io.outboxrelay.relay.source.SourceSettings;
import io.outboxrelay.schema.Dialect;
import io.outboxrelay.schema.Installation;
import io.outboxrelay.schema.OutboxSchema;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

@Command(
        name = "migrate",
        mixinStandardHelpOptions = true,
        description = {
            "Installs the outbox and inbox tables, or brings them up to date; doing it again changes nothing.",
            "Either into the database of --url, or into those of the configured sources. The user needs the right to "
                    + "create tables, which the relay's own user need not have: --user and --password-file replace it."
        })
final class MigrateCommand implements Callable<Integer> {

    @Mixin
    private final ConfigurationOptions options;

    @Option(names = "--url", paramLabel = "URL", description = "JDBC URL, instead of the configured sources.")
    private @Nullable String url;

    @Option(names = "--user", paramLabel = "USER", description = "Database user, instead of the configured one.")
    private @Nullable String user;

    @Option(names = "--password-file", paramLabel = "FILE", description = "File that holds the user's password.")
    private @Nullable Path passwordFile;

    @Option(
            names = "--schema",
            paramLabel = "NAME",
            description = "Database schema, with --url. Default: public, in MariaDB and MySQL the database of the URL.")
    private @Nullable String schema;

    @Option(names = "--lanes", paramLabel = "N", description = "Lanes of a new installation. Default: 8.")
    private @Nullable Integer lanes;

    @Option(names = "--source", paramLabel = "NAME", description = "Only this one of the configured sources.")
    private @Nullable String source;

    @Option(names = "--print-sql", description = "Prints the plain SQL for --schema and --lanes, asks no database.")
    private boolean printSql;

    @Option(
            names = "--dialect",
            paramLabel = "DIALECT",
            defaultValue = "postgresql",
            description = "For which database --print-sql is: postgresql, mariadb, mysql. Default: ${DEFAULT-VALUE}.")
    private Dialect dialect = Dialect.POSTGRESQL;

    @Spec
    private @Nullable CommandSpec spec;

    MigrateCommand(Map<String, String> environment) {
        this.options = new ConfigurationOptions(environment);
    }

    @Override
    public Integer call() {
        PrintWriter out = commandLine().getOut();
        if (printSql) {
            out.print(
                    outbox(schema == null ? OutboxSchema.DEFAULT_NAME : schema).sql(dialect));
        } else if (url != null) {
            migrateUrl(url, out);
        } else {
            migrateSources(out);
        }
        out.flush();
        return 0;
    }

    private void migrateUrl(String url, PrintWriter out) {
        if (source != null) {
            throw wrong("--source chooses among the configured sources: use it without --url.");
        }
        if (Dialects.of(url).isEmpty()) {
            throw wrong("--url must begin with " + Dialects.KNOWN + ".");
        }
        if (user == null) {
            throw wrong("--url needs --user, and --password-file unless the server trusts the user.");
        }
        String name = schema == null ? OutboxSchema.DEFAULT_NAME : schema;
        out.println(install(outbox(name), url, user, passwordFile == null ? "" : password(passwordFile)));
    }

    private void migrateSources(PrintWriter out) {
        if (schema != null) {
            throw wrong("--schema goes with --url or --print-sql: a configured source has a schema of its own.");
        }
        List<SourceSettings> sources = options.reader().sources();
        List<SourceSettings> chosen = sources.stream()
                .filter(one -> source == null || one.name().equals(source))
                .toList();
        if (chosen.isEmpty()) {
            throw wrong("There is no source %s. Configured: %s."
                    .formatted(
                            source,
                            String.join(
                                    ", ",
                                    sources.stream().map(SourceSettings::name).toList())));
        }
        for (SourceSettings one : chosen) {
            String result = install(
                    outbox(one.schema()),
                    one.url(),
                    user == null ? one.user() : user,
                    passwordFile == null ? one.password() : password(passwordFile));
            out.println("source " + one.name() + ": " + result);
            out.flush();
        }
    }

    private OutboxSchema outbox(String schema) {
        try {
            OutboxSchema outbox = OutboxSchema.defaults().withSchema(schema);
            return lanes == null ? outbox : outbox.withLanes(lanes);
        } catch (IllegalArgumentException e) {
            throw wrong(String.valueOf(e.getMessage()));
        }
    }

    private static String install(OutboxSchema outbox, String url, String user, String password) {
        Installation installation = outbox.installOn(DirectConnections.to(url, user, password));
        String now = "schema %s has version %d with %d lanes"
                .formatted(installation.schema(), installation.version(), installation.lanes());
        return installation.changed()
                ? now
                        + (installation.versionBefore() == 0
                                ? ", newly installed"
                                : ", brought up from version " + installation.versionBefore())
                : now + ", nothing to do";
    }

    private String password(Path file) {
        try {
            String password = SecretFile.read(file);
            SecretFile.warning(file).ifPresent(warning -> Words.warn(commandLine(), warning));
            return password;
        } catch (IOException e) {
            throw wrong("The password file %s cannot be read (%s).".formatted(file, SecretFile.why(e)));
        }
    }

    private ParameterException wrong(String message) {
        return new ParameterException(commandLine(), message);
    }

    private picocli.CommandLine commandLine() {
        return Objects.requireNonNull(spec).commandLine();
    }
}
