package io.outboxrelay.relay.command;

import io.outboxrelay.relay.command.DatabaseOptions.Database;
import io.outboxrelay.relay.database.Failures.Note;
import io.outboxrelay.relay.database.Failures.Pause;
import java.io.PrintWriter;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

@Command(
        name = "resume",
        mixinStandardHelpOptions = true,
        description = "Ends a pause, named by the same types as when it was made. A running relay notices by itself. "
                + "Without --source: in all sources.")
final class ResumeCommand implements Callable<Integer> {

    @Mixin
    private final DatabaseOptions databases;

    @Mixin
    private final RouteOptions routes = new RouteOptions();

    @Mixin
    private final WhoOption who = new WhoOption();

    @Option(names = "--reason", paramLabel = "TEXT", description = "Why, for the audit.")
    private String reason = "";

    @Spec
    private @Nullable CommandSpec spec;

    ResumeCommand(Map<String, String> environment) {
        this.databases = new DatabaseOptions(environment);
    }

    @Override
    public Integer call() {
        CommandLine command = Objects.requireNonNull(spec).commandLine();
        Note note = who.note(command, reason);
        return databases.each(command, database -> resume(command.getOut(), database, note));
    }

    private void resume(PrintWriter out, Database database, Note note) {
        boolean resumed = database.failures().resume(routes.route(), note);
        out.println("source %s: %s %s"
                .formatted(
                        database.source(),
                        RouteOptions.name(routes.route()),
                        resumed ? "resumed" : "was not paused, nothing changed"));
        List<Pause> left = database.failures().pauses();
        if (!left.isEmpty()) {
            out.println("source %s: still paused: %s"
                    .formatted(
                            database.source(),
                            left.stream()
                                    .map(pause -> RouteOptions.name(pause.route()))
                                    .collect(Collectors.joining(", "))));
        }
    }
}
