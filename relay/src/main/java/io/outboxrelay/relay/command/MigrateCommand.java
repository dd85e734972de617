package io.outboxrelay.relay.command;

import io.outboxrelay.relay.command.Commands.ConfigurationOptions;
import io.outboxrelay.relay.command.DatabaseOptions.Reach;
import io.outboxrelay.relay.command.DatabaseOptions.Target;
import io.outboxrelay.relay.database.Connections;
import io.outboxrelay.relay.database.DatabaseLogin;
import io.outboxrelay.relay.database.Dialect;
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
            "Installs the outbox and inbox tables, or upgrades them; safe to run again.",
            "Works on the database of --url, or else on the configured sources and inboxes. The user must have the"
                    + " right to create tables. The relay's own user does not need that right, so pass another user"
                    + " with --user and --password-file."
        },
        footer = {"", "Exit status: 0 success, 1 failed, 2 wrong use or configuration."})
final class MigrateCommand implements Callable<Integer> {

    @Mixin
    private final Console console = new Console();

    @Mixin
    private final ConfigurationOptions options;

    @Option(names = "--url", paramLabel = "URL", description = "JDBC URL, instead of the configured sources.")
    private @Nullable String url;

    @Option(names = "--user", paramLabel = "USER", description = "Database user, instead of the configured one.")
    private @Nullable String user;

    @Option(names = "--password-file", paramLabel = "FILE", description = "File that contains the user's password.")
    private @Nullable Path passwordFile;

    @Option(
            names = "--schema",
            paramLabel = "NAME",
            description = "Schema for --url or --print-sql. Default: public; in MariaDB and MySQL the URL's database.")
    private @Nullable String schema;

    @Option(names = "--lanes", paramLabel = "N", description = "Number of lanes of a new installation. Default: 8.")
    private @Nullable Integer lanes;

    @Option(names = "--source", paramLabel = "NAME", description = "Only this configured source or inbox.")
    private @Nullable String source;

    @Option(names = "--print-sql", description = "Print plain SQL for --schema and --lanes; connects to no database.")
    private boolean printSql;

    @Option(
            names = "--dialect",
            paramLabel = "DIALECT",
            defaultValue = "postgresql",
            description = "Database for --print-sql: postgresql, mariadb, mysql. Default: ${DEFAULT-VALUE}.")
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
            throw console.wrongUse("--source selects a configured source and cannot be combined with --url.");
        }
        if (Dialect.of(url).isEmpty()) {
            throw console.wrongUse("--url must begin with " + Dialect.KNOWN + ".");
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
            throw console.wrongUse("--schema needs --url or --print-sql: a configured source has its own schema.");
        }
        for (Target target : DatabaseOptions.named(source, options, Reach.ALL, console)) {
            DatabaseLogin one = target.login();
            String result =
                    install(outbox(one.schema()), one.url(), user == null ? one.user() : user, passwordOf(target));
            console.println(target.label() + ": " + result);
        }
    }

    /** A configured password belongs to the configured user, and is sent for no other. */
    private String passwordOf(Target target) {
        DatabaseLogin one = target.login();
        if (passwordFile != null) {
            return DatabaseOptions.password(passwordFile, console);
        }
        if (user != null && !user.equals(one.user())) {
            throw console.wrongUse(("--user %s needs --password-file: the configured password of %s belongs to"
                            + " the user %s. If the server trusts this user, name an empty file.")
                    .formatted(user, target.label(), one.user()));
        }
        return one.password();
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
                                : ", upgraded from version " + installation.versionBefore())
                : now + ", nothing to do";
    }
}
