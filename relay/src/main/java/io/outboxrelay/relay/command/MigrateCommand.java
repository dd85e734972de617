package io.outboxrelay.relay.command;

import io.outboxrelay.relay.database.Connections;
import io.outboxrelay.relay.source.SourceSettings;
import io.outboxrelay.schema.Installation;
import io.outboxrelay.schema.OutboxSchema;
import io.outboxrelay.schema.SqlDialect;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

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
    private final Console console = new Console();

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
    private SqlDialect dialect = SqlDialect.POSTGRESQL;

    MigrateCommand(Map<String, String> environment) {
        this.options = new ConfigurationOptions(environment);
    }

    @Override
    public Integer call() {
        if (printSql) {
            console.print(
                    outbox(schema == null ? OutboxSchema.DEFAULT_NAME : schema).sql(dialect));
        } else if (url != null) {
            migrateUrl(url);
        } else {
            migrateSources();
        }
        return 0;
    }

    private void migrateUrl(String url) {
        if (source != null) {
            throw console.wrongUse("--source chooses among the configured sources: use it without --url.");
        }
        if (io.outboxrelay.relay.database.Dialect.of(url).isEmpty()) {
            throw console.wrongUse("--url must begin with " + io.outboxrelay.relay.database.Dialect.KNOWN + ".");
        }
        if (user == null) {
            throw console.wrongUse("--url needs --user, and --password-file unless the server trusts the user.");
        }
        String name = schema == null ? OutboxSchema.DEFAULT_NAME : schema;
        console.println(install(
                outbox(name), url, user, passwordFile == null ? "" : DatabaseOptions.password(passwordFile, console)));
    }

    private void migrateSources() {
        if (schema != null) {
            throw console.wrongUse(
                    "--schema goes with --url or --print-sql: a configured source has a schema of its own.");
        }
        for (SourceSettings one : DatabaseOptions.named(source, options.reader().sources(), console)) {
            String result = install(
                    outbox(one.schema()),
                    one.url(),
                    user == null ? one.user() : user,
                    passwordFile == null ? one.password() : DatabaseOptions.password(passwordFile, console));
            console.println("source " + one.name() + ": " + result);
        }
    }

    private OutboxSchema outbox(String schema) {
        try {
            OutboxSchema outbox = OutboxSchema.defaults().withSchema(schema);
            return lanes == null ? outbox : outbox.withLanes(lanes);
        } catch (IllegalArgumentException e) {
            throw console.wrongUse(String.valueOf(e.getMessage()));
        }
    }

    private static String install(OutboxSchema outbox, String url, String user, String password) {
        Installation installation = outbox.installOn(Connections.direct(url, user, password));
        String now = "schema %s has version %d with %d lanes"
                .formatted(installation.schema(), installation.version(), installation.lanes());
        return installation.changed()
                ? now
                        + (installation.versionBefore() == 0
                                ? ", newly installed"
                                : ", brought up from version " + installation.versionBefore())
                : now + ", nothing to do";
    }
}
