package io.outboxrelay.relay.command;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.outboxrelay.relay.command.DatabaseOptions.Answer;
import io.outboxrelay.relay.command.DatabaseOptions.AuditOptions;
import io.outboxrelay.relay.database.Failures;
import io.outboxrelay.relay.database.Failures.Failure;
import io.outboxrelay.relay.database.Failures.Filter;
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
        footer = {"", "Exit status: 0 success, 1 a source failed, 2 wrong use or configuration."})
final class FailuresCommand implements Callable<Integer> {

    @Mixin
    private final Console console = new Console();

    private FailuresCommand() {}

    static CommandLine commandLine(Map<String, String> environment) {
        return new CommandLine(new FailuresCommand())
                .addSubcommand(new ListCommand(environment))
                .addSubcommand(new ShowCommand(environment))
                .addSubcommand(new RetryCommand(environment))
                .addSubcommand(new DiscardCommand(environment));
    }

    @Override
    public Integer call() {
        throw console.wrongUse("Say what to do: list, show, retry or discard.");
    }

    @Command(
            name = "list",
            mixinStandardHelpOptions = true,
            description = "Lists retrying, parked and paused events, the oldest first. Ends with the number of events"
                    + " by state, of those that are blocked behind them, and by reason and type.",
            footer = {"", "Exit status: 0 all sources answered, 1 one did not answer, 2 wrong use or configuration."})
    static final class ListCommand implements Callable<Integer> {

        @Mixin
        private final Console console = new Console();

        @Mixin
        private final DatabaseOptions databases;

        @Mixin
        private final FilterOptions filters = new FilterOptions();

        @Option(
                names = "--state",
                split = ",",
                paramLabel = "STATE",
                converter = Words.StateConverter.class,
                description = "Only events in these states: ${COMPLETION-CANDIDATES}. Default: retrying,parked,paused.")
        private final Set<State> states = EnumSet.noneOf(State.class);

        @Option(names = "--limit", paramLabel = "N", defaultValue = "100", description = "Maximum rows. Default: 100.")
        private int limit;

        @Option(names = "--json", description = "Print JSON instead of a table.")
        private boolean json;

        ListCommand(Map<String, String> environment) {
            this.databases = new DatabaseOptions(environment);
        }

        @Override
        public Integer call() {
            if (limit < 0) {
                throw console.wrongUse("--limit must not be negative.");
            }
            Filter filter = filters.filter(List.of(), states.isEmpty() ? State.SHOWN : states);
            return databases.ask(json, database -> new Page(database.failures().list(filter, limit)));
        }

        private record Page(Listing listing) implements Answer {

            @Override
            public String text() {
                long all = listing.counts().values().stream()
                        .mapToLong(Long::longValue)
                        .sum();
                if (all == 0) {
                    return "no failures\n";
                }
                Words.Table table = new Words.Table(
                        "state", "for", "attempts", "next", "behind", "event", "type", "aggregate", "reason");
                listing.failures().forEach(failure -> add(table, failure));
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

            private String summary() {
                Words.Table table = new Words.Table("events", "reason", "type");
                listing.groups()
                        .forEach(group -> table.row(
                                Words.number(group.events()),
                                Words.plain(group.reason()),
                                Words.plain(group.aggregateType() + "/" + group.eventType())));
                String title = listing.groups().size() < Failures.MOST_GROUPS
                        ? "by reason and type:\n"
                        : "by reason and type, the %d largest groups:\n".formatted(Failures.MOST_GROUPS);
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

            private static void add(Words.Table table, Failure failure) {
                table.row(
                        failure.state().toString(),
                        Words.duration(FailureView.age(failure)),
                        String.valueOf(failure.attempts()),
                        failure.nextAttemptAt() == null
                                ? "-"
                                : Words.duration(Duration.between(failure.readAt(), failure.nextAttemptAt())),
                        Words.number(failure.behind()),
                        failure.event().toString(),
                        Words.plain(failure.address().eventType()),
                        FailureView.aggregate(failure.address()),
                        failure.reason() == null ? "-" : Words.plain(failure.reason()));
            }

            @Override
            public void addTo(ObjectNode json) {
                ObjectNode counts = json.putObject("counts");
                listing.counts().forEach((state, events) -> counts.put(state.toString(), events));
                json.put("waiting_behind", listing.waitingBehind());
                ArrayNode groups = json.putArray("groups");
                listing.groups()
                        .forEach(group -> groups.addObject()
                                .put("reason", group.reason())
                                .put("aggregate_type", group.aggregateType())
                                .put("event_type", group.eventType())
                                .put("events", group.events()));
                ArrayNode failures = json.putArray("failures");
                listing.failures().forEach(failure -> FailureView.add(failures.addObject(), failure));
            }
        }
    }

    @Command(
            name = "show",
            mixinStandardHelpOptions = true,
            description = "Shows everything known about one failure, except its payload and the values of its headers.",
            footer = {"", "Exit status: 0 all sources answered, 1 one did not answer, 2 wrong use or configuration."})
    static final class ShowCommand implements Callable<Integer> {

        @Mixin
        private final DatabaseOptions databases;

        @Parameters(paramLabel = "EVENT_ID", converter = Words.EventIdConverter.class, description = "Id of the event.")
        private @Nullable UUID event;

        @Option(names = "--json", description = "Print JSON instead of lines.")
        private boolean json;

        ShowCommand(Map<String, String> environment) {
            this.databases = new DatabaseOptions(environment);
        }

        @Override
        public Integer call() {
            UUID id = Objects.requireNonNull(event);
            return databases.ask(
                    json, database -> new Details(database.failures().find(id).orElse(null)));
        }

        private record Details(@Nullable Failure failure) implements Answer {

            @Override
            public String text() {
                return failure == null
                        ? "no failure of this event. To see where it is, run: explain EVENT_ID\n"
                        : FailureView.lines(failure);
            }

            @Override
            public void addTo(ObjectNode json) {
                if (failure == null) {
                    json.putNull("failure");
                } else {
                    FailureView.add(json.putObject("failure"), failure);
                }
            }
        }
    }

    @Command(
            name = "retry",
            mixinStandardHelpOptions = true,
            description = "Retries parked events with a fresh attempt count, in order per aggregate. With --now also"
                    + " events that are retrying. If two people run it at the same time, each event is retried once.",
            footer = {"", "Exit status: 0 success, 1 a source failed, 2 wrong use or configuration."})
    static final class RetryCommand implements Callable<Integer> {

        @Mixin
        private final Change change;

        @Option(
                names = "--now",
                description = "Also bring forward the next attempt of events that are retrying. They keep their"
                        + " attempts.")
        private boolean now;

        RetryCommand(Map<String, String> environment) {
            this.change = new Change(environment);
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
            footer = {"", "Exit status: 0 success, 1 a source failed, 2 wrong use or configuration."})
    static final class DiscardCommand implements Callable<Integer> {

        @Mixin
        private final Change change;

        @Option(
                names = "--state",
                split = ",",
                paramLabel = "STATE",
                converter = Words.DiscardedStateConverter.class,
                description = "Only events in these states: retrying, parked, paused. Default: all three.")
        private final Set<State> states = EnumSet.noneOf(State.class);

        DiscardCommand(Map<String, String> environment) {
            this.change = new Change(environment);
        }

        @Override
        public Integer call() {
            Filter filter = change.filter(states.isEmpty() ? State.SHOWN : states, !states.isEmpty());
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
        private final FilterOptions filters = new FilterOptions();

        @Option(names = "--all", description = "All events, or all that match the filters. Not with event ids.")
        private boolean all;

        @Option(names = "--dry-run", description = "Only report how many events would be changed.")
        private boolean dryRun;

        Change(Map<String, String> environment) {
            this.databases = new DatabaseOptions(environment);
        }

        /** Changes the failures of one database that fit a filter, and returns how many there were. */
        interface Act {
            long change(Failures failures, LongConsumer progress);
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
         * @param done what a source reports when it is made
         */
        int run(String verb, String done, Filter filter, Act act) {
            AtomicLong sum = new AtomicLong();
            int status = databases.each(database -> {
                long found = database.failures().count(filter);
                long changed = dryRun || found == 0
                        ? found
                        : act.change(database.failures(), console.new Progress(database.source(), found));
                String outcome = (dryRun ? "would " + verb : done) + " " + Words.count(changed, "event");
                console.println(
                        "source %s: %s".formatted(database.source(), changed == 0 ? "no matching event" : outcome));
                sum.addAndGet(changed);
            });
            int ids = Set.copyOf(events).size();
            long missing = ids - sum.get();
            if (status == 0 && missing > 0) {
                console.println("Nothing to %s for %d of %s. To see where an event is, run: explain EVENT_ID"
                        .formatted(verb, missing, Words.count(ids, "id")));
            }
            return status;
        }
    }

    /** Selects failures: those that match all given options. */
    static final class FilterOptions {

        @Option(
                names = "--failure-reason",
                paramLabel = "REASON",
                converter = Words.ReasonConverter.class,
                description = "Only events that failed for this reason, as shown by list.")
        private @Nullable String failureReason;

        @Option(names = "--event-type", paramLabel = "TYPE", description = "Only events of this type.")
        private @Nullable String eventType;

        @Option(names = "--aggregate-type", paramLabel = "TYPE", description = "Only events of this aggregate type.")
        private @Nullable String aggregateType;

        @Option(names = "--aggregate-id", paramLabel = "ID", description = "Only events of aggregates with this id.")
        private @Nullable String aggregateId;

        @Option(
                names = "--older-than",
                paramLabel = "DURATION",
                converter = Words.AgeConverter.class,
                description = "Only events that first failed longer ago than this, for example 500ms, 30s, 15m, 2h"
                        + " or 7d.")
        private @Nullable Duration olderThan;

        boolean given() {
            return Stream.of(failureReason, eventType, aggregateType, aggregateId, olderThan)
                    .anyMatch(Objects::nonNull);
        }

        Filter filter(List<UUID> events, Set<State> states) {
            return new Filter(events, states, failureReason, eventType, aggregateType, aggregateId, olderThan);
        }
    }
}
