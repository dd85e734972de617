package io.outboxrelay.bench;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.sql.SQLException;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** The options of a measurement that say where its raw data goes, and whether a busy machine is accepted. */
final class ReportOptions {

    /** They name servers, and may contain passwords. */
    private static final Set<String> NOT_SETTINGS =
            Set.of("--help", "--version", "--output", "--jdbc-url", "--user", "--password-file", "--amqp-uri");

    @Option(
            names = "--output",
            paramLabel = "FOLDER",
            description = "Write the raw data into a new file there, with versions, settings and date.")
    private @Nullable Path output;

    @Option(
            names = "--busy-machine",
            description = "Print results even if other programs used more than a fifth of the machine.")
    private boolean busyMachine;

    @Spec(Spec.Target.MIXEE)
    private @Nullable CommandSpec command;

    /**
     * Begins the report of a measurement.
     *
     * @param servers that are measured, as in {@link Conditions#now}
     * @param out for people
     * @param columns of the raw data
     */
    Report open(Servers servers, PrintWriter out, String... columns) throws IOException, SQLException {
        CommandSpec measurement = command;
        if (measurement == null) {
            throw new IllegalStateException("These options belong to no command");
        }
        Conditions conditions = Conditions.now(measurement.name(), servers, settings(measurement));
        return new Report(conditions, output, busyMachine, servers, out, columns);
    }

    private static String settings(CommandSpec command) {
        return command.options().stream()
                .filter(option -> !NOT_SETTINGS.contains(option.longestName()))
                .filter(option -> option.getValue() != null)
                .map(ReportOptions::setting)
                .sorted()
                .collect(Collectors.joining(" "));
    }

    private static String setting(OptionSpec option) {
        return option.longestName().substring(2) + "=" + option.getValue();
    }
}
