package io.outboxrelay.relay.command;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.outboxrelay.relay.configuration.Configuration;
import io.outboxrelay.relay.configuration.SecretFile;
import io.outboxrelay.relay.database.Failures;
import io.outboxrelay.relay.database.Failures.UnavailableException;
import io.outboxrelay.relay.database.Published;
import io.outboxrelay.relay.operations.DirectConnections;
import io.outboxrelay.relay.source.SourceSettings;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Predicate;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;

/** The options that say in which databases a command works, and the walk through these. */
final class DatabaseOptions {

    @Mixin
    private final ConfigurationOptions options;

    @Option(names = "--source", paramLabel = "NAME", description = "Only this one of the configured sources.")
    private @Nullable String source;

    @Option(
            names = "--user",
            paramLabel = "USER",
            description = "Database user, instead of the configured one; changing needs the role outbox_admin.")
    private @Nullable String user;

    @Option(names = "--password-file", paramLabel = "FILE", description = "File that holds that user's password.")
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
     * Works in the only database that there is, or that was named.
     *
     * @param command that was given
     * @param work in the database; returns whether all of it was done
     * @return the exit status: 0 when it answered and all was done, otherwise 1
     */
    int only(CommandLine command, Predicate<Database> work) {
        List<SourceSettings> sources = chosen(command);
        if (sources.size() > 1) {
            throw new ParameterException(
                    command,
                    "Say which source: --source NAME. Configured: %s."
                            .formatted(String.join(
                                    ", ",
                                    sources.stream().map(SourceSettings::name).toList())));
        }
        AtomicBoolean done = new AtomicBoolean();
        int status = each(command, database -> done.set(work.test(database)));
        return done.get() ? status : 1;
    }

    /**
     * Works in each database, and says on standard error which one did not answer.
     *
     * @param command that was given
     * @param work in one database
     * @return the exit status: 0 when all answered, otherwise 1
     */
    int each(CommandLine command, Consumer<Database> work) {
        int status = 0;
        for (SourceSettings one : chosen(command)) {
            String problem = problem(command, one, work);
            if (problem != null) {
                command.getErr().println("outbox-relay: source " + one.name() + ": " + Words.plain(problem));
                status = 1;
            }
        }
        command.getOut().flush();
        return status;
    }

    /**
     * Asks each database and prints its answer, or why there is none.
     *
     * @param command that was given
     * @param json whether to print JSON
     * @param question to one database
     * @return the exit status: 0 when all answered, otherwise 1
     */
    int ask(CommandLine command, boolean json, Function<Database, Answer> question) {
        PrintWriter out = command.getOut();
        ObjectNode report = JsonNodeFactory.instance.objectNode();
        ArrayNode sources = report.putArray("sources");
        int status = 0;
        for (SourceSettings one : chosen(command)) {
            ObjectNode entry = sources.addObject().put("name", one.name());
            String problem = problem(command, one, database -> {
                Answer answer = question.apply(database);
                if (json) {
                    entry.putNull("problem");
                    answer.addTo(entry);
                } else {
                    out.print("source " + one.name() + "\n" + answer.text().indent(2));
                }
            });
            if (problem != null) {
                status = 1;
                entry.put("problem", problem);
                if (!json) {
                    out.print("source " + one.name() + "\n" + problem.indent(2));
                }
            }
        }
        if (json) {
            out.println(report.toPrettyString());
        }
        out.flush();
        return status;
    }

    private @Nullable String problem(CommandLine command, SourceSettings one, Consumer<Database> work) {
        DataSource connections = DirectConnections.to(
                one, user == null ? one.user() : user, user == null ? one.password() : password(command));
        Failures failures = one.dialect().failures(one.schema(), connections);
        try {
            failures.requireVersion();
            work.accept(new Database(one.name(), failures, one.dialect().published(one.schema(), connections)));
            return null;
        } catch (UnavailableException e) {
            return String.valueOf(e.getMessage());
        }
    }

    private List<SourceSettings> chosen(CommandLine command) {
        if (passwordFile != null && user == null) {
            throw new ParameterException(command, "--password-file goes with --user.");
        }
        List<SourceSettings> sources = options.reader().sources();
        List<SourceSettings> chosen = sources.stream()
                .filter(one -> source == null || one.name().equals(source))
                .toList();
        if (chosen.isEmpty()) {
            List<String> names = sources.stream().map(SourceSettings::name).toList();
            throw new ParameterException(
                    command, "There is no source %s. Configured: %s.".formatted(source, String.join(", ", names)));
        }
        return chosen;
    }

    private String password(CommandLine command) {
        if (passwordFile == null) {
            return "";
        }
        try {
            String password = SecretFile.read(passwordFile);
            SecretFile.warning(passwordFile).ifPresent(warning -> Words.warn(command, warning));
            return password;
        } catch (IOException e) {
            throw new ParameterException(
                    command, "The password file %s cannot be read (%s).".formatted(passwordFile, SecretFile.why(e)));
        }
    }
}
