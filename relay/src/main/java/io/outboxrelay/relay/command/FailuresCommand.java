package io.outboxrelay.relay.command;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.outboxrelay.relay.command.DatabaseOptions.Answer;
import io.outboxrelay.relay.command.DatabaseOptions.AuditOptions;
import io.outboxrelay.relay.command.FailureSide.FilterOptions;
import io.outboxrelay.relay.database.FailedEvents;
import io.outboxrelay.relay.database.Failures;
import io.outboxrelay.relay.database.Failures.Failure;
import io.outboxrelay.relay.database.Failures.Filter;
import io.outboxrelay.relay.database.Failures.Group;
import io.outboxrelay.relay.database.Failures.Listing;
import io.outboxrelay.relay.database.Failures.Note;
import io.outboxrelay.relay.lane.FailurePolicy.State;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.Callable;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongConsumer;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(
        name = "failures",
        mixinStandardHelpOptions = true,
        description = "Lists, shows, retries and discards events that could not be published. Talks to the"
                + " databases directly, so no relay has to be running.",
        footer = {"", "Exit status: 0 success, 1 a database failed, 2 wrong use or configuration."})
final class FailuresCommand implements Callable<Integer> {

    @Mixin
    private final Console console = new Console();

    private FailuresCommand() {}

    /** {@return the commands about events that failed at one end of their way} */
    static CommandLine commandLine(Map<String, String> environment, FailureSide side) {
        CommandLine commands = new CommandLine(new FailuresCommand())
                .addSubcommand(new ListCommand(environment, side))
                .addSubcommand(new ShowCommand(environment, side))
                .addSubcommand(new RetryCommand(environment, side))
                .addSubcommand(new DiscardCommand(environment, side));
        if (side == FailureSide.CONSUMER) {
            describe(
                    commands,
                    "Lists, shows, retries and discards events that consumers gave up. Talks to the databases"
                            + " directly, so no consumer has to be running.");
            describe(
                    commands.getSubcommands().get("discard"),
                    "Discards parked or retrying events permanently; the next events of their aggregates move up. The"
                            + " inbox notes them as processed, so a redelivery does not bring them back. The audit log"
                            + " records the ids, the person and the reason.");
        }
        return commands;
    }

    private static void describe(CommandLine command, String sentences) {
        command.getCommandSpec().usageMessage().description(sentences);
    }

    @Override
    public Integer call() {
        throw console.wrongUse("Say what to do: list, show, retry or discard.");
    }

    @Command(
            name = "list",
            mixinStandardHelpOptions = true,
            description = "Lists events that failed or are paused, the oldest first. Ends with the number of events"
                    + " by state, of those that are blocked behind them, and by reason and type.",
            footer = {"", "Exit status: 0 all databases answered, 1 one did not answer, 2 wrong use or configuration."})
    static final class ListCommand implements Callable<Integer> {

        @Mixin
        private final Console console = new Console();

        @Mixin
        private final DatabaseOptions databases;

        @Mixin
        private final FilterOptions filters;

        @Option(
                names = "--state",
                split = ",",
                paramLabel = "STATE",
                description = "Only events in these states: retrying, parked, waiting; at a relay also paused. Default:"
                        + " all but waiting.")
        private final List<String> states = new ArrayList<>();

        @Option(names = "--limit", paramLabel = "N", defaultValue = "100", description = "Maximum rows. Default: 100.")
        private int limit;

        @Option(names = "--json", description = "Print JSON instead of a table.")
        private boolean json;

        private final FailureSide side;

        ListCommand(Map<String, String> environment, FailureSide side) {
            this.databases = new DatabaseOptions(environment, side.reach());
            this.filters = side.filters();
            this.side = side;
        }

        @Override
        public Integer call() {
            if (limit < 0) {
                throw console.wrongUse("--limit must not be negative.");
            }
            Set<State> wanted = Words.states(states, "a state of a failure", side.states(), console);
            Filter filter = filters.filter(List.of(), wanted.isEmpty() ? State.SHOWN : wanted);
            return databases.ask(
                    json, database -> new Page(side, side.of(database).list(filter, limit)));
        }

        private record Page(FailureSide side, Listing listing) implements Answer {

            @Override
            public String text() {
                long all = listing.counts().values().stream()
                        .mapToLong(Long::longValue)
                        .sum();
                if (all == 0) {
                    return "no failures\n";
                }
                Words.Table table = table(
                        "consumer",
                        "state",
                        "for",
                        "attempts",
                        "next",
                        "behind",
                        "event",
                        "type",
                        "aggregate",
                        "reason");
                listing.failures().forEach(failure -> table.row(cells(failure)));
                String counts = Arrays.stream(State.values())
                        .filter(listing.counts()::containsKey)
                        .map(state -> Words.number(listing.counts().get(state)) + " " + state)
                        .collect(Collectors.joining(", "));
                String shown = listing.failures().size() < all
                        ? "the first %s of %s: "
                                .formatted(Words.number(listing.failures().size()), Words.number(all))
                        : "";
                return table + shown + counts + "\n" + blocked() + summary();
            }

            /** Only consumers have names. */
            private Words.Table table(String consumer, String... others) {
                return new Words.Table(columns(consumer, others));
            }

            private String[] columns(String consumer, String... others) {
                return side == FailureSide.RELAY
                        ? others
                        : Stream.concat(Stream.of(consumer), Stream.of(others)).toArray(String[]::new);
            }

            private String summary() {
                Words.Table table = table("consumer", "events", "reason", "type");
                listing.groups()
                        .forEach(group -> table.row(columns(
                                Words.plain(String.valueOf(group.consumer())),
                                Words.number(group.events()),
                                Words.plain(group.reason()),
                                Words.plain(group.aggregateType() + "/" + group.eventType()))));
                String title = "by %sreason and type%s:\n"
                        .formatted(
                                side == FailureSide.RELAY ? "" : "consumer, ",
                                listing.groups().size() < Failures.MOST_GROUPS
                                        ? ""
                                        : ", the %d largest groups".formatted(Failures.MOST_GROUPS));
                return title + table.toString().indent(2);
            }

            /** Waiting events that are listed themselves are not counted again. */
            private String blocked() {
                long behind = listing.waitingBehind();
                return behind == 0 || listing.counts().containsKey(State.WAITING)
                        ? ""
                        : "%s more %s blocked behind these\n"
                                .formatted(Words.number(behind), behind == 1 ? "event is" : "events are");
            }

            private String[] cells(Failure failure) {
                return columns(
                        FailureView.consumer(failure).orElse("-"),
                        failure.state().toString(),
                        Words.duration(FailureView.age(failure)),
                        String.valueOf(failure.attempts()),
                        failure.nextAttemptAt() == null
                                ? "-"
                                : Words.duration(Duration.between(failure.readAt(), failure.nextAttemptAt())),
                        Words.number(failure.behind()),
                        failure.event().toString(),
                        Words.plain(failure.place().eventType()),
                        FailureView.aggregate(failure.place()),
                        failure.reason() == null ? "-" : Words.plain(failure.reason()));
            }

            @Override
            public void addTo(ObjectNode json) {
                ObjectNode counts = json.putObject("counts");
                listing.counts().forEach((state, events) -> counts.put(state.toString(), events));
                json.put("waiting_behind", listing.waitingBehind());
                ArrayNode groups = json.putArray("groups");
                for (Group group : listing.groups()) {
                    ObjectNode entry = groups.addObject();
                    if (group.consumer() != null) {
                        entry.put("consumer", group.consumer());
                    }
                    entry.put("reason", group.reason())
                            .put("aggregate_type", group.aggregateType())
                            .put("event_type", group.eventType())
                            .put("events", group.events());
                }
                ArrayNode failures = json.putArray("failures");
                listing.failures().forEach(failure -> FailureView.add(failures.addObject(), failure));
            }
        }
    }

    @Command(
            name = "show",
            mixinStandardHelpOptions = true,
            description = "Shows everything known about one failure, except its payload and the values of its headers.",
            footer = {"", "Exit status: 0 all databases answered, 1 one did not answer, 2 wrong use or configuration."})
    static final class ShowCommand implements Callable<Integer> {

        @Mixin
        private final DatabaseOptions databases;

        @Parameters(paramLabel = "EVENT_ID", converter = Words.EventIdConverter.class, description = "Id of the event.")
        private @Nullable UUID event;

        @Option(names = "--json", description = "Print JSON instead of lines.")
        private boolean json;

        private final FailureSide side;

        ShowCommand(Map<String, String> environment, FailureSide side) {
            this.databases = new DatabaseOptions(environment, side.reach());
            this.side = side;
        }

        @Override
        public Integer call() {
            UUID id = Objects.requireNonNull(event);
            return databases.ask(
                    json, database -> new Details(side, side.of(database).find(id)));
        }

        private record Details(FailureSide side, List<Failure> failures) implements Answer {

            @Override
            public String text() {
                return failures.isEmpty()
                        ? "no failure of this event. To see where it is, run: explain EVENT_ID\n"
                        : failures.stream().map(FailureView::lines).collect(Collectors.joining("\n"));
            }

            /** The relay has one failure of an event, and each consumer may have one. */
            @Override
            public void addTo(ObjectNode json) {
                if (side == FailureSide.CONSUMER) {
                    ArrayNode all = json.putArray("failures");
                    failures.forEach(failure -> FailureView.add(all.addObject(), failure));
                } else if (failures.isEmpty()) {
                    json.putNull("failure");
                } else {
                    FailureView.add(json.putObject("failure"), failures.get(0));
                }
            }
        }
    }

    @Command(
            name = "retry",
            mixinStandardHelpOptions = true,
            description = "Retries parked events with a fresh attempt count, in order per aggregate. With --now also"
                    + " events that are retrying. If two people run it at the same time, each event is retried once.",
            footer = {"", "Exit status: 0 success, 1 a database failed, 2 wrong use or configuration."})
    static final class RetryCommand implements Callable<Integer> {

        @Mixin
        private final Change change;

        @Option(
                names = "--now",
                description = "Also bring forward the next attempt of events that are retrying. They keep their"
                        + " attempts.")
        private boolean now;

        RetryCommand(Map<String, String> environment, FailureSide side) {
            this.change = new Change(environment, side);
        }

        @Override
        public Integer call() {
            Filter filter = change.filter(now ? Set.of(State.PARKED, State.RETRYING) : Set.of(State.PARKED), false);
            Note note = change.audit.note();
            return change.run(
                    "retry",
                    "retrying",
                    filter,
                    (failures, progress) ->
                            now ? failures.retryNow(filter, note, progress) : failures.retry(filter, note, progress));
        }
    }

    @Command(
            name = "discard",
            mixinStandardHelpOptions = true,
            description = "Deletes parked, retrying or paused events permanently; the next events of their"
                    + " aggregates move up. The audit log records the ids, the person and the reason.",
            footer = {"", "Exit status: 0 success, 1 a database failed, 2 wrong use or configuration."})
    static final class DiscardCommand implements Callable<Integer> {

        @Mixin
        private final Change change;

        @Option(
                names = "--state",
                split = ",",
                paramLabel = "STATE",
                description = "Only events in these states: retrying, parked; at a relay also paused. Default: all of"
                        + " these.")
        private final List<String> states = new ArrayList<>();

        DiscardCommand(Map<String, String> environment, FailureSide side) {
            this.change = new Change(environment, side);
        }

        @Override
        public Integer call() {
            Filter filter = change.filter(change.discarded(states), !states.isEmpty());
            Note note = change.audit.noteWithReason();
            return change.run(
                    "discard", "discarded", filter, (failures, progress) -> failures.discard(filter, note, progress));
        }
    }

    /**
     * What retry and discard have in common: which failures to change (never all unless that was said), and the change.
     */
    static final class Change {

        @Mixin
        private final Console console = new Console();

        @Mixin
        private final DatabaseOptions databases;

        @Mixin
        private final AuditOptions audit = new AuditOptions();

        /** Texts, as {@code EventIdConverter.all} wants them. */
        @Parameters(arity = "0..*", paramLabel = "EVENT_ID", description = "Ids of events.")
        private final List<String> events = new ArrayList<>();

        @Mixin
        private final FilterOptions filters;

        @Option(names = "--all", description = "All events, or all that match the filters. Not with event ids.")
        private boolean all;

        @Option(names = "--dry-run", description = "Only report how many events would be changed.")
        private boolean dryRun;

        private final FailureSide side;

        Change(Map<String, String> environment, FailureSide side) {
            this.databases = new DatabaseOptions(environment, side.reach());
            this.filters = side.filters();
            this.side = side;
        }

        /** Changes the failures of one database that fit a filter, and returns how many there were. */
        interface Act {
            long change(FailedEvents failures, LongConsumer progress);
        }

        /** {@return the states from which events are discarded. A waiting one has not failed: another one blocks it} */
        Set<State> discarded(List<String> states) {
            Set<State> possible = EnumSet.copyOf(side.states());
            possible.retainAll(State.SHOWN);
            Set<State> wanted = Words.states(states, "a state from which events are discarded", possible, console);
            return wanted.isEmpty() ? possible : wanted;
        }

        /**
         * The selected failures.
         *
         * @param states to choose from
         * @param byState whether these were given as a filter, too
         */
        Filter filter(Set<State> states, boolean byState) {
            if (events.isEmpty() && !filters.given() && !byState && !all) {
                throw console.wrongUse("Say which events: EVENT_ID..., filters, or --all.");
            }
            if (!events.isEmpty() && all) {
                throw console.wrongUse("--all cannot be combined with event ids.");
            }
            return filters.filter(Words.EventIdConverter.all(events, console), states);
        }

        /**
         * Changes failures in each database, or only counts them, and reports how many.
         *
         * @param verb the change
         * @param done what a database reports when it is made
         */
        int run(String verb, String done, Filter filter, Act act) {
            AtomicLong sum = new AtomicLong();
            AtomicLong waiting = new AtomicLong();
            int status = databases.each(database -> {
                FailedEvents failures = side.of(database);
                long found = failures.count(filter);
                if (found < filter.events().size()) {
                    waiting.addAndGet(waiting(failures, filter.events()));
                }
                long changed = dryRun || found == 0
                        ? found
                        : act.change(failures, console.new Progress(database.label(), found));
                String outcome = (dryRun ? "would " + verb : done) + " " + Words.count(changed, "event");
                console.println("%s: %s".formatted(database.label(), changed == 0 ? "no matching event" : outcome));
                sum.addAndGet(changed);
            });
            int ids = filter.events().size();
            long missing = ids - sum.get();
            if (status == 0 && missing > 0) {
                console.println("Nothing to %s for %d of %s.%s To see where an event is, run: explain EVENT_ID"
                        .formatted(verb, missing, Words.count(ids, "id"), behind(waiting.get())));
            }
            return status;
        }

        private static long waiting(FailedEvents failures, List<UUID> events) {
            return events.stream()
                    .flatMap(event -> failures.find(event).stream())
                    .filter(failure -> failure.state() == State.WAITING)
                    .count();
        }

        /** A waiting event cannot be retried or discarded itself, which a person may not expect. */
        private static String behind(long waiting) {
            return waiting == 0
                    ? ""
                    : " %s behind an earlier event of %s aggregate and %s not failed."
                            .formatted(
                                    waiting == 1 ? "One waits" : Words.number(waiting) + " wait",
                                    waiting == 1 ? "its" : "their",
                                    waiting == 1 ? "has" : "have");
        }
    }
}
