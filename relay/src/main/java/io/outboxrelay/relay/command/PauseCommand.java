package io.outboxrelay.relay.command;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.outboxrelay.relay.command.DatabaseOptions.Database;
import io.outboxrelay.relay.database.Failures.Note;
import io.outboxrelay.relay.database.Failures.Pause;
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
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

@Command(
        name = "pause",
        mixinStandardHelpOptions = true,
        description = "Stops the publishing of a source, or of some types of its events, until resume. A running relay "
                + "notices by itself. Without --source: of all sources.")
final class PauseCommand implements Callable<Integer> {

    @Mixin
    private final DatabaseOptions databases;

    @Mixin
    private final RouteOptions routes = new RouteOptions();

    @Mixin
    private final WhoOption who = new WhoOption();

    @Option(names = "--reason", paramLabel = "TEXT", description = "Why; needed to pause.")
    private @Nullable String reason;

    @Option(names = "--list", description = "Only shows what is paused.")
    private boolean list;

    @Option(names = "--json", description = "With --list: JSON instead of lines.")
    private boolean json;

    @Spec
    private @Nullable CommandSpec spec;

    PauseCommand(Map<String, String> environment) {
        this.databases = new DatabaseOptions(environment);
    }

    @Override
    public Integer call() {
        CommandLine command = Objects.requireNonNull(spec).commandLine();
        if (list) {
            if (routes.given() || reason != null) {
                throw new ParameterException(command, "--list goes without types and without --reason.");
            }
            return databases.ask(
                    command, json, database -> new Pauses(database.failures().pauses()));
        }
        if (json) {
            throw new ParameterException(command, "--json goes with --list.");
        }
        if (reason == null) {
            throw new ParameterException(command, "Say why: --reason TEXT. What is paused is shown by --list.");
        }
        Note note = who.noteWithReason(command, reason);
        return databases.each(command, database -> pause(command, database, note));
    }

    private void pause(CommandLine command, Database database, Note note) {
        boolean paused = database.failures().pause(routes.route(), note);
        command.getOut()
                .println("source %s: %s %s"
                        .formatted(
                                database.source(),
                                RouteOptions.name(routes.route()),
                                paused ? "paused" : "was paused already, nothing changed"));
    }

    static void add(ObjectNode json, List<Pause> pauses) {
        ArrayNode entries = json.putArray("pauses");
        pauses.forEach(pause -> entries.addObject()
                .put("aggregate_type", pause.route().aggregateType())
                .put("event_type", pause.route().eventType())
                .put("paused_at", pause.pausedAt().toString())
                .put("paused_by", pause.pausedBy())
                .put("reason", pause.reason()));
    }

    private record Pauses(List<Pause> pauses) implements Answer {

        @Override
        public String text() {
            return pauses.isEmpty()
                    ? "nothing is paused\n"
                    : pauses.stream().map(Pauses::line).collect(Collectors.joining("\n", "", "\n"));
        }

        private static String line(Pause pause) {
            return "%s paused since %s by %s: %s"
                    .formatted(
                            RouteOptions.name(pause.route()),
                            Words.time(pause.pausedAt()),
                            Words.plain(pause.pausedBy()),
                            Words.plain(pause.reason()));
        }

        @Override
        public void addTo(ObjectNode json) {
            add(json, pauses);
        }
    }
}
