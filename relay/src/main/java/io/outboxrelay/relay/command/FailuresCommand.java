package io.outboxrelay.relay.command;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.outboxrelay.relay.command.DatabaseOptions.Answer;
import io.outboxrelay.relay.command.DatabaseOptions.Database;
import io.outboxrelay.relay.command.DatabaseOptions.WhoOption;
import io.outboxrelay.relay.command.SelectionOptions.FilterOptions;
import io.outboxrelay.relay.database.Failures;
import io.outboxrelay.relay.database.Failures.Failure;
import io.outboxrelay.relay.database.Failures.Filter;
import io.outboxrelay.relay.database.Failures.Listing;
import io.outboxrelay.relay.database.Failures.Note;
import io.outboxrelay.relay.database.Failures.State;
import java.time.Duration;
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
import java.util.function.ToLongBiFunction;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(
        name = "failures",
        mixinStandardHelpOptions = true,
        description =
                "Shows, retries and discards events that could not be published. Works on the databases alone, with or "
                        + "without a running relay.")
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
            description =
                    "Lists events that are retried, parked or paused, in the order in which they came; those that wait "
                            + "behind them are counted.")
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
                description = "Only these: ${COMPLETION-CANDIDATES}. Default: retrying,parked,paused.")
        private final Set<State> states = EnumSet.noneOf(State.class);

        @Option(
                names = {"--reason", "--failure-reason"},
                paramLabel = "REASON",
                converter = Words.ReasonConverter.class,
                description = "Only those that failed for this reason.")
        private @Nullable String reason;

        @Option(
                names = "--limit",
                paramLabel = "N",
                defaultValue = "100",
                description = "Most that are shown. Default: 100.")
        private int limit;

        @Option(names = "--json", description = "JSON instead of a table.")
        private boolean json;

        ListCommand(Map<String, String> environment) {
            this.databases = new DatabaseOptions(environment);
        }

        @Override
        public Integer call() {
            if (limit < 0) {
                throw console.wrongUse("--limit must not be negative.");
            }
            Filter filter = filters.filter(List.of(), states.isEmpty() ? State.SHOWN : states, reason);
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
                // Where waiting events are listed, they are not counted as well.
                String behind = listing.waitingBehind() == 0 || listing.counts().containsKey(State.WAITING)
                        ? ""
                        : "and %s behind them\n"
                                .formatted(Words.count(listing.waitingBehind(), "event")
                                        + (listing.waitingBehind() == 1 ? " waits" : " wait"));
                return table + shown + counts + "\n" + behind;
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
                ArrayNode failures = json.putArray("failures");
                listing.failures().forEach(failure -> FailureView.add(failures.addObject(), failure));
            }
        }
    }

    @Command(
            name = "show",
            mixinStandardHelpOptions = true,
            description = "Shows all that is known of one failure, but its payload and the values of its headers.")
    static final class ShowCommand implements Callable<Integer> {

        @Mixin
        private final DatabaseOptions databases;

        @Parameters(paramLabel = "EVENT_ID", converter = Words.EventIdConverter.class, description = "Id of an event.")
        private @Nullable UUID event;

        @Option(names = "--json", description = "JSON instead of lines.")
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
                        ? "no failure of this event: explain EVENT_ID tells where it is\n"
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
            description = "Lets parked events be published again, with their attempts anew and in the order of their "
                    + "aggregates. Two who do this at once retry an event once.")
    static final class RetryCommand implements Callable<Integer> {

        @Mixin
        private final Console console = new Console();

        @Mixin
        private final DatabaseOptions databases;

        @Mixin
        private final SelectionOptions selection = new SelectionOptions();

        @Mixin
        private final WhoOption who = new WhoOption();

        @Option(names = "--reason", paramLabel = "TEXT", description = "Why, for the audit.")
        private String reason = "";

        RetryCommand(Map<String, String> environment) {
            this.databases = new DatabaseOptions(environment);
        }

        @Override
        public Integer call() {
            Filter filter = selection.filter(Set.of(State.PARKED), false);
            Note note = who.note(reason);
            return new Change(console, databases, selection, "parked event", "retried")
                    .run(filter, (failures, progress) -> failures.retry(filter, note, progress));
        }
    }

    @Command(
            name = "discard",
            mixinStandardHelpOptions = true,
            description =
                    "Deletes parked, retried or paused events for good; the next ones of their aggregates move up. The "
                            + "audit keeps who did it and why, and the ids.")
    static final class DiscardCommand implements Callable<Integer> {

        @Mixin
        private final Console console = new Console();

        @Mixin
        private final DatabaseOptions databases;

        @Mixin
        private final SelectionOptions selection = new SelectionOptions();

        @Mixin
        private final WhoOption who = new WhoOption();

        @Option(
                names = "--state",
                split = ",",
                paramLabel = "STATE",
                converter = Words.StateConverter.class,
                description = "Only these of retrying, parked and paused. Default: all three.")
        private final Set<State> states = EnumSet.noneOf(State.class);

        @Option(names = "--reason", required = true, paramLabel = "TEXT", description = "Why, for the audit.")
        private String reason = "";

        DiscardCommand(Map<String, String> environment) {
            this.databases = new DatabaseOptions(environment);
        }

        @Override
        public Integer call() {
            if (states.contains(State.WAITING)) {
                throw console.wrongUse(
                        "Waiting events have not failed: discard the one that they wait for, or nothing.");
            }
            Filter filter = selection.filter(states.isEmpty() ? State.SHOWN : states, !states.isEmpty());
            Note note = who.noteWithReason(reason);
            return new Change(console, databases, selection, "event", "discarded")
                    .run(filter, (failures, progress) -> failures.discard(filter, note, progress));
        }
    }

    /**
     * Changes failures in each database, or only counts them, and says how many.
     *
     * @param console where it says so
     * @param databases where
     * @param selection what was chosen
     * @param noun what it is
     * @param participle what becomes of it
     */
    private record Change(
            Console console, DatabaseOptions databases, SelectionOptions selection, String noun, String participle) {

        int run(Filter filter, ToLongBiFunction<Failures, LongConsumer> change) {
            AtomicLong all = new AtomicLong();
            int status = databases.each(database -> {
                long found = database.failures().count(filter);
                long changed = found;
                if (!selection.dryRun() && found > 0) {
                    Progress progress = new Progress(console, database.source(), found);
                    changed = change.applyAsLong(database.failures(), progress);
                }
                console.println(sentence(database, changed));
                all.addAndGet(changed);
            });
            if (status == 0) {
                selection.explainMissing(all.get());
            }
            return status;
        }

        private String sentence(Database database, long changed) {
            String verb = (changed == 1 ? "is " : "are ") + participle;
            return "source %s: %s %s"
                    .formatted(
                            database.source(),
                            Words.count(changed, noun),
                            selection.dryRun() ? "would be " + participle : verb);
        }
    }
}
