package io.outboxrelay.relay.command;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.outboxrelay.relay.command.Commands.ConfigurationOptions;
import io.outboxrelay.relay.configuration.Configuration;
import io.outboxrelay.relay.configuration.SecretFile;
import io.outboxrelay.relay.database.Connections;
import io.outboxrelay.relay.database.Failures;
import io.outboxrelay.relay.database.Failures.Note;
import io.outboxrelay.relay.database.Failures.UnavailableException;
import io.outboxrelay.relay.database.Published;
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

    @Option(names = "--source", paramLabel = "NAME", description = "Only this configured source.")
    private @Nullable String source;

    @Option(
            names = "--user",
            paramLabel = "USER",
            description = "Database user, instead of the configured one. Changes need the role outbox_admin.")
    private @Nullable String user;

    @Option(names = "--password-file", paramLabel = "FILE", description = "File that contains this user's password.")
    private @Nullable Path passwordFile;

    DatabaseOptions(Map<String, String> environment) {
        this.options = new ConfigurationOptions(environment);
    }

    /**
     * One database.
     *
     * @param source its name
     * @param failures what can be asked and changed there
     * @param published what was published and is retained
     */
    record Database(String source, Failures failures, Published published) {}

    /** {@return the whole configuration, for a command that needs the broker too} */
    Configuration configuration() {
        return options.reader().configuration();
    }

    /**
     * Works in the named database, or in the only one.
     *
     * @param work in the database; returns whether all of it was done
     * @return the exit status: 0 when it answered and all was done, otherwise 1
     */
    int only(Predicate<Database> work) {
        List<SourceSettings> sources = chosen();
        if (sources.size() > 1) {
            throw console.wrongUse("Say which source: --source NAME. Configured: %s.".formatted(names(sources)));
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
        for (SourceSettings one : chosen()) {
            String problem = problem(one, work);
            if (problem != null) {
                console.problem("source " + one.name() + ": " + Words.plain(problem));
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
        ArrayNode sources = report.putArray("sources");
        int status = 0;
        for (SourceSettings one : chosen()) {
            ObjectNode entry = sources.addObject().put("name", one.name());
            String problem = problem(one, database -> {
                Answer answer = question.apply(database);
                if (json) {
                    entry.putNull("problem");
                    answer.addTo(entry);
                } else {
                    console.print("source " + one.name() + "\n" + answer.text().indent(2));
                }
            });
            if (problem != null) {
                status = 1;
                entry.put("problem", problem);
                if (!json) {
                    console.print("source " + one.name() + "\n" + problem.indent(2));
                }
            }
        }
        if (json) {
            console.println(report.toPrettyString());
        }
        return status;
    }

    private @Nullable String problem(SourceSettings one, Consumer<Database> work) {
        DataSource connections = connections(one);
        Failures failures = one.dialect().failures(one.schema(), connections);
        try {
            failures.requireVersion();
            work.accept(new Database(one.name(), failures, one.dialect().published(one.schema(), connections)));
            return null;
        } catch (UnavailableException e) {
            return String.valueOf(e.getMessage());
        }
    }

    /** {@return the connections to a source, of the user that was named or is configured; none is opened yet} */
    DataSource connections(SourceSettings one) {
        return Connections.ofCommand(
                one.url(), one.schema(), user == null ? one.user() : user, user == null ? one.password() : password());
    }

    /** {@return the sources in whose databases the command works, at least one} */
    List<SourceSettings> chosen() {
        if (passwordFile != null && user == null) {
            throw console.wrongUse("--password-file needs --user.");
        }
        return named(source, options.reader().sources(), console);
    }

    private String password() {
        return passwordFile == null ? "" : password(passwordFile, console);
    }

    /** {@return the one of the configured sources that was named, or all if none was} */
    static List<SourceSettings> named(@Nullable String name, List<SourceSettings> configured, Console console) {
        List<SourceSettings> named = configured.stream()
                .filter(source -> name == null || source.name().equals(name))
                .toList();
        if (named.isEmpty()) {
            throw console.wrongUse("There is no source %s. Configured: %s.".formatted(name, names(configured)));
        }
        return named;
    }

    private static String names(List<SourceSettings> sources) {
        return sources.stream().map(SourceSettings::name).collect(Collectors.joining(", "));
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
