package io.outboxrelay.relay.command;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.outboxrelay.relay.command.DatabaseOptions.Answer;
import io.outboxrelay.relay.command.DatabaseOptions.Database;
import io.outboxrelay.relay.command.DatabaseOptions.WhoOption;
import io.outboxrelay.relay.database.Failures.Note;
import io.outboxrelay.relay.database.Failures.Pause;
import io.outboxrelay.relay.database.Failures.Route;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

@Command(
        name = "pause",
        mixinStandardHelpOptions = true,
        description = "Stops the publishing of a source, or of some types of its events, until resume. A running relay "
                + "notices by itself. Without --source: of all sources.")
final class PauseCommand implements Callable<Integer> {

    @Mixin
    private final Console console = new Console();

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

    PauseCommand(Map<String, String> environment) {
        this.databases = new DatabaseOptions(environment);
    }

    @Override
    public Integer call() {
        if (list) {
            if (routes.given() || reason != null) {
                throw console.wrongUse("--list goes without types and without --reason.");
            }
            return databases.ask(
                    json, database -> new Pauses(database.failures().pauses()));
        }
        if (json) {
            throw console.wrongUse("--json goes with --list.");
        }
        if (reason == null) {
            throw console.wrongUse("Say why: --reason TEXT. What is paused is shown by --list.");
        }
        Note note = who.noteWithReason(reason);
        return databases.each(database -> pause(database, note));
    }

    private void pause(Database database, Note note) {
        boolean paused = database.failures().pause(routes.route(), note);
        console.println("source %s: %s %s"
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

    @Command(
            name = "resume",
            mixinStandardHelpOptions = true,
            description =
                    "Ends a pause, named by the same types as when it was made. A running relay notices by itself. "
                            + "Without --source: in all sources.")
    static final class ResumeCommand implements Callable<Integer> {

        @Mixin
        private final Console console = new Console();

        @Mixin
        private final DatabaseOptions databases;

        @Mixin
        private final RouteOptions routes = new RouteOptions();

        @Mixin
        private final WhoOption who = new WhoOption();

        @Option(names = "--reason", paramLabel = "TEXT", description = "Why, for the audit.")
        private String reason = "";

        ResumeCommand(Map<String, String> environment) {
            this.databases = new DatabaseOptions(environment);
        }

        @Override
        public Integer call() {
            Note note = who.note(reason);
            return databases.each(database -> resume(database, note));
        }

        private void resume(Database database, Note note) {
            boolean resumed = database.failures().resume(routes.route(), note);
            console.println("source %s: %s %s"
                    .formatted(
                            database.source(),
                            RouteOptions.name(routes.route()),
                            resumed ? "resumed" : "was not paused, nothing changed"));
            List<Pause> left = database.failures().pauses();
            if (!left.isEmpty()) {
                console.println("source %s: still paused: %s"
                        .formatted(
                                database.source(),
                                left.stream()
                                        .map(pause -> RouteOptions.name(pause.route()))
                                        .collect(Collectors.joining(", "))));
            }
        }
    }

    /** Which route is meant; without these options all events of a source. */
    static final class RouteOptions {

        @Option(
                names = "--aggregate-type",
                paramLabel = "TYPE",
                description = "Only events of aggregates of this type.")
        private String aggregateType = Route.ANY;

        @Option(names = "--event-type", paramLabel = "TYPE", description = "Only events of this type.")
        private String eventType = Route.ANY;

        boolean given() {
            return !whole(route());
        }

        Route route() {
            return new Route(aggregateType, eventType);
        }

        static boolean whole(Route route) {
            return route.equals(new Route(Route.ANY, Route.ANY));
        }

        /** What a person calls a route. */
        static String name(Route route) {
            if (whole(route)) {
                return "the whole source";
            }
            String events = route.eventType().equals(Route.ANY) ? "all events" : "events " + route.eventType();
            return Words.plain(events
                    + (route.aggregateType().equals(Route.ANY) ? "" : " of aggregates " + route.aggregateType()));
        }
    }
}
