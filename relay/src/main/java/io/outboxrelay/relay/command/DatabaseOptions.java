package io.outboxrelay.relay.command;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.outboxrelay.relay.command.Commands.ConfigurationOptions;
import io.outboxrelay.relay.configuration.Configuration;
import io.outboxrelay.relay.configuration.ConfigurationReader;
import io.outboxrelay.relay.configuration.ConfigurationReader.Databases;
import io.outboxrelay.relay.configuration.SecretFile;
import io.outboxrelay.relay.database.Connections;
import io.outboxrelay.relay.database.Consumers;
import io.outboxrelay.relay.database.DatabaseLogin;
import io.outboxrelay.relay.database.Dialect;
import io.outboxrelay.relay.database.Failures;
import io.outboxrelay.relay.database.Failures.Note;
import io.outboxrelay.relay.database.Failures.UnavailableException;
import io.outboxrelay.relay.database.Published;
import io.outboxrelay.relay.database.SentHistories;
import io.outboxrelay.relay.rabbitmq.BrokerSettings;
import io.outboxrelay.relay.source.SourceSettings;
import java.io.IOException;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Selects the databases that a command works in, and visits them. */
final class DatabaseOptions {

    @Mixin
    private final Console console = new Console();

    @Mixin
    private final ConfigurationOptions options;

    @Option(names = "--source", paramLabel = "NAME", description = "Only this configured source or inbox.")
    private @Nullable String source;

    @Option(
            names = "--user",
            paramLabel = "USER",
            description = "Database user, instead of the configured one. Changes need the role outbox_admin.")
    private @Nullable String user;

    @Option(names = "--password-file", paramLabel = "FILE", description = "File that contains this user's password.")
    private @Nullable Path passwordFile;

    private final Reach reach;

    /** Works in the sources. */
    DatabaseOptions(Map<String, String> environment) {
        this(environment, Reach.SOURCES);
    }

    DatabaseOptions(Map<String, String> environment, Reach reach) {
        this.options = new ConfigurationOptions(environment);
        this.reach = reach;
    }

    /** Which of the configured databases a command works in. */
    enum Reach {
        /** Those with an outbox that is relayed. */
        SOURCES,
        /** Those with an inbox: the sources too, which are called inboxes then. */
        INBOXES,
        /** The sources, and then the inboxes that are no sources. */
        ALL;

        private List<Target> of(ConfigurationReader reader) {
            if (this == SOURCES) {
                return targets("source", reader.sources());
            }
            Databases databases = reader.databases();
            return Stream.concat(
                            targets(this == ALL ? "source" : "inbox", databases.sources()).stream(),
                            databases.inboxes().stream().map(inbox -> new Target("inbox", inbox)))
                    .toList();
        }

        private static List<Target> targets(String kind, List<SourceSettings> sources) {
            return sources.stream()
                    .map(source -> new Target(kind, source.login()))
                    .toList();
        }
    }

    /**
     * A database, not connected to yet.
     *
     * @param kind source or inbox
     * @param login the database and its configured user
     */
    record Target(String kind, DatabaseLogin login) {

        /** {@return how messages call it} */
        String label() {
            return kind + " " + login.name();
        }
    }

    /**
     * One database.
     *
     * @param kind source or inbox
     * @param name its name
     * @param failures what can be asked and changed in its outbox
     * @param published what was published and is retained
     * @param histories what of it was sent to consumers that catch up
     * @param consumers what can be asked and changed in its inbox
     */
    record Database(
            String kind,
            String name,
            Failures failures,
            Published published,
            SentHistories histories,
            Consumers consumers) {

        private static Database of(Target target, DataSource connections) {
            String schema = target.login().schema();
            Dialect dialect = target.login().dialect();
            return new Database(
                    target.kind(),
                    target.login().name(),
                    dialect.failures(schema, connections),
                    dialect.published(schema, connections),
                    dialect.sentHistories(schema, connections),
                    dialect.consumers(schema, connections));
        }

        private void requireVersion() {
            if (isSource()) {
                failures.requireVersion();
            } else {
                consumers.requireVersion();
            }
        }

        boolean isSource() {
            return kind.equals("source");
        }

        /** {@return how messages call it} */
        String label() {
            return kind + " " + name;
        }
    }

    /** {@return the whole configuration, for a command that needs the broker too} */
    Configuration configuration() {
        return options.reader().configuration();
    }

    /** {@return the broker, for a command that may need no database} */
    BrokerSettings broker() {
        return options.reader().brokerSettings();
    }

    /** {@return whether one of the databases was named, for a command that needs none} */
    boolean isNamed() {
        if (source == null && user != null) {
            throw console.wrongUse("--user needs --source.");
        }
        return source != null;
    }

    /**
     * Works in the named database, or in the only one.
     *
     * @param work in the database; returns whether all of it was done
     * @return the exit status: 0 when it answered and all was done, otherwise 1
     */
    int only(Predicate<Database> work) {
        List<Target> targets = chosen();
        if (targets.size() > 1) {
            throw console.wrongUse("Say which source: --source NAME. Configured: %s.".formatted(names(targets)));
        }
        AtomicBoolean done = new AtomicBoolean();
        int status = each(database -> done.set(work.test(database)));
        return done.get() ? status : 1;
    }

    /**
     * Works in each database, and reports on standard error which one did not answer.
     *
     * @param work in one database
     * @return the exit status: 0 when all answered, otherwise 1
     */
    int each(Consumer<Database> work) {
        int status = 0;
        for (Target one : chosen()) {
            String problem = problem(one, work);
            if (problem != null) {
                console.problem(one.label() + ": " + Words.plain(problem));
                status = 1;
            }
        }
        return status;
    }

    /**
     * Queries each database and prints its answer, or why there is none.
     *
     * @param json whether to print JSON
     * @param question to one database
     * @return the exit status: 0 when all answered, otherwise 1
     */
    int ask(boolean json, Function<Database, Answer> question) {
        ObjectNode report = JsonNodeFactory.instance.objectNode();
        if (reach != Reach.INBOXES) {
            report.putArray("sources");
        }
        if (reach != Reach.SOURCES) {
            report.putArray("inboxes");
        }
        int status = 0;
        for (Target one : chosen()) {
            ObjectNode entry = report.withArray(one.kind().equals("source") ? "sources" : "inboxes")
                    .addObject()
                    .put("name", one.login().name());
            String problem = problem(one, database -> {
                Answer answer = question.apply(database);
                if (json) {
                    entry.putNull("problem");
                    answer.addTo(entry);
                } else {
                    console.print(one.label() + "\n" + answer.text().indent(2));
                }
            });
            if (problem != null) {
                status = 1;
                entry.put("problem", problem);
                if (!json) {
                    console.print(one.label() + "\n" + problem.indent(2));
                }
            }
        }
        if (json) {
            console.println(report.toPrettyString());
        }
        return status;
    }

    private @Nullable String problem(Target one, Consumer<Database> work) {
        Database database = Database.of(one, connections(one.login()));
        try {
            database.requireVersion();
            work.accept(database);
            return null;
        } catch (UnavailableException e) {
            return String.valueOf(e.getMessage());
        }
    }

    /** {@return the connections to a database, of the user that was named or is configured; none is opened yet} */
    DataSource connections(DatabaseLogin one) {
        return Connections.ofCommand(
                one.url(), one.schema(), user == null ? one.user() : user, user == null ? one.password() : password());
    }

    /** {@return the databases in which the command works, at least one} */
    List<Target> chosen() {
        if (passwordFile != null && user == null) {
            throw console.wrongUse("--password-file needs --user.");
        }
        return named(source, options, reach, console);
    }

    private String password() {
        return passwordFile == null ? "" : password(passwordFile, console);
    }

    /** {@return the one of the configured databases that was named, or all if none was} */
    static List<Target> named(@Nullable String name, ConfigurationOptions options, Reach reach, Console console) {
        List<Target> configured = reach.of(options.reader());
        List<Target> named = configured.stream()
                .filter(target -> name == null || target.login().name().equals(name))
                .toList();
        if (named.isEmpty()) {
            throw console.wrongUse("There is no %s %s. Configured: %s."
                    .formatted(reach == Reach.SOURCES ? "source" : "source or inbox", name, names(configured)));
        }
        return named;
    }

    private static String names(List<Target> targets) {
        return targets.stream().map(target -> target.login().name()).collect(Collectors.joining(", "));
    }

    /** {@return the password in a file; warns if others can read it} */
    static String password(Path file, Console console) {
        try {
            String password = SecretFile.read(file);
            SecretFile.warning(file).ifPresent(console::warn);
            return password;
        } catch (IOException e) {
            throw console.wrongUse("The password file %s cannot be read (%s).".formatted(file, SecretFile.why(e)));
        }
    }

    /** The answer of one source, for people and for programs. */
    interface Answer {

        /** Several lines, each ended, without the source's name. */
        String text();

        /** Adds the answer; the names in the JSON are stable. */
        void addTo(ObjectNode json);
    }

    /** What the audit records about a command: who gave it, and why. */
    static final class AuditOptions {

        @Mixin
        private final Console console = new Console();

        @Option(
                names = "--who",
                paramLabel = "NAME",
                description = "Person recorded in the audit log. Default: user and host of the operating system.")
        private @Nullable String who;

        @Option(names = "--reason", paramLabel = "TEXT", description = "Reason recorded in the audit log.")
        private @Nullable String reason;

        boolean reasonGiven() {
            return reason != null;
        }

        /** {@return a note whose reason may be empty} */
        Note note() {
            if (who != null && who.isBlank()) {
                throw console.wrongUse("--who must not be empty.");
            }
            return new Note(who == null ? userAndHost() : who.strip(), reason == null ? "" : reason.strip());
        }

        /** {@return a note with a reason} */
        Note noteWithReason() {
            if (reason == null) {
                throw console.wrongUse("Say why: --reason TEXT.");
            }
            if (reason.isBlank()) {
                throw console.wrongUse("--reason must not be empty: the audit log needs it.");
            }
            return note();
        }

        private static String userAndHost() {
            String host;
            try {
                host = InetAddress.getLocalHost().getHostName();
            } catch (UnknownHostException e) {
                host = "unknown";
            }
            return System.getProperty("user.name", "unknown") + "@" + host;
        }
    }
}
