package io.outboxrelay.relay.command;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.outboxrelay.relay.command.DatabaseOptions.Answer;
import io.outboxrelay.relay.command.DatabaseOptions.AuditOptions;
import io.outboxrelay.relay.command.DatabaseOptions.Database;
import io.outboxrelay.relay.database.Failures.Note;
import io.outboxrelay.relay.database.Failures.Pause;
import io.outboxrelay.relay.database.Failures.Route;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

@Command(
        name = "pause",
        mixinStandardHelpOptions = true,
        description = "Pauses a source, or some types of its events, until you run resume. A running relay picks up the"
                + " change automatically. Without --source: all sources.",
        footer = {"", "Exit status: 0 success, 1 a source failed, 2 wrong use or configuration."})
final class PauseCommand implements Callable<Integer> {

    @Mixin
    private final Console console = new Console();

    @Mixin
    private final PauseOptions options;

    @Option(names = "--list", description = "Only list the pauses.")
    private boolean list;

    @Option(names = "--json", description = "With --list: print JSON instead of lines.")
    private boolean json;

    PauseCommand(Map<String, String> environment) {
        this.options = new PauseOptions(environment);
    }

    @Override
    public Integer call() {
        if (list) {
            if (!options.wholeSource() || options.audit.reasonGiven()) {
                throw console.wrongUse("--list cannot be combined with --aggregate-type, --event-type or --reason.");
            }
            return options.databases.ask(
                    json, database -> new Pauses(database.failures().pauses()));
        }
        if (json) {
            throw console.wrongUse("--json needs --list.");
        }
        Note note = options.audit.noteWithReason();
        return options.databases.each(database -> pause(database, note));
    }

    private void pause(Database database, Note note) {
        boolean paused = database.failures().pause(options.types(), note);
        options.report(database, options.types(), paused ? "paused" : "was already paused; nothing changed");
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

    /** {@return what is paused, for people} */
    static String name(Route types) {
        String event = types.eventType().equals(Route.ANY) ? "" : "event type " + types.eventType();
        String aggregate = types.aggregateType().equals(Route.ANY) ? "" : "aggregate type " + types.aggregateType();
        if (event.isEmpty() && aggregate.isEmpty()) {
            return "the whole source";
        }
        return Words.plain(event + (event.isEmpty() || aggregate.isEmpty() ? "" : " of ") + aggregate);
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
                            name(pause.route()),
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
            description = "Ends a pause. Pass the same --aggregate-type and --event-type that started it, or --all. A"
                    + " running relay picks up the change automatically. Without --source: in all sources.",
            footer = {
                "",
                "Exit status: 0 success, 1 nothing was paused, or a source failed, 2 wrong use or configuration."
            })
    static final class ResumeCommand implements Callable<Integer> {

        @Mixin
        private final PauseOptions options;

        @Option(names = "--all", description = "End all pauses. Not with --aggregate-type or --event-type.")
        private boolean all;

        ResumeCommand(Map<String, String> environment) {
            this.options = new PauseOptions(environment);
        }

        @Override
        public Integer call() {
            if (all && !options.wholeSource()) {
                throw options.console.wrongUse("--all cannot be combined with --aggregate-type or --event-type.");
            }
            Note note = options.audit.note();
            AtomicInteger resumed = new AtomicInteger();
            int status = options.databases.each(database -> resumed.addAndGet(resume(database, note)));
            if (resumed.get() == 0 && status == 0) {
                options.console.problem("Nothing was resumed. To see what is paused, run: pause --list");
                return 1;
            }
            return status;
        }

        /** Returns how many pauses have ended. */
        private int resume(Database database, Note note) {
            List<Route> resumed = all
                    ? database.failures().resumeAll(note)
                    : database.failures().resume(options.types(), note) ? List.of(options.types()) : List.of();
            resumed.forEach(route -> options.report(database, route, "resumed"));
            if (resumed.isEmpty()) {
                options.console.println("source %s: %s"
                        .formatted(
                                database.name(),
                                all
                                        ? "nothing was paused; nothing changed"
                                        : name(options.types()) + " was not paused; nothing changed"));
            }
            left(database);
            return resumed.size();
        }

        private void left(Database database) {
            List<Pause> left = database.failures().pauses();
            if (!left.isEmpty()) {
                options.console.println("source %s: still paused: %s"
                        .formatted(
                                database.name(),
                                left.stream().map(pause -> name(pause.route())).collect(Collectors.joining(", "))));
            }
        }
    }

    /** What pause and resume have in common: where, which types, by whom and why. */
    static final class PauseOptions {

        @Mixin
        private final Console console = new Console();

        @Mixin
        private final DatabaseOptions databases;

        @Mixin
        private final AuditOptions audit = new AuditOptions();

        @Option(names = "--aggregate-type", paramLabel = "TYPE", description = "Only events of this aggregate type.")
        private String aggregateType = Route.ANY;

        @Option(names = "--event-type", paramLabel = "TYPE", description = "Only events of this type.")
        private String eventType = Route.ANY;

        PauseOptions(Map<String, String> environment) {
            this.databases = new DatabaseOptions(environment);
        }

        boolean wholeSource() {
            return aggregateType.equals(Route.ANY) && eventType.equals(Route.ANY);
        }

        Route types() {
            return new Route(aggregateType, eventType);
        }

        void report(Database database, Route route, String outcome) {
            console.println("source %s: %s %s".formatted(database.name(), name(route), outcome));
        }
    }
}
