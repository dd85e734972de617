package io.outboxrelay.relay.command;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.outboxrelay.relay.database.Failures.Failure;
import io.outboxrelay.relay.database.Failures.Filter;
import io.outboxrelay.relay.database.Failures.Listing;
import io.outboxrelay.relay.database.Failures.State;
import java.time.Duration;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
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
        name = "list",
        mixinStandardHelpOptions = true,
        description =
                "Lists events that are retried, parked or paused, in the order in which they came; those that wait "
                        + "behind them are counted.")
final class FailuresListCommand implements Callable<Integer> {

    @Mixin
    private final DatabaseOptions databases;

    @Mixin
    private final FilterOptions filters = new FilterOptions();

    @Option(
            names = "--state",
            split = ",",
            paramLabel = "STATE",
            converter = StateConverter.class,
            description = "Only these: ${COMPLETION-CANDIDATES}. Default: retrying,parked,paused.")
    private final Set<State> states = EnumSet.noneOf(State.class);

    @Option(
            names = {"--reason", "--failure-reason"},
            paramLabel = "REASON",
            converter = ReasonConverter.class,
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

    @Spec
    private @Nullable CommandSpec spec;

    FailuresListCommand(Map<String, String> environment) {
        this.databases = new DatabaseOptions(environment);
    }

    @Override
    public Integer call() {
        CommandLine command = Objects.requireNonNull(spec).commandLine();
        if (limit < 0) {
            throw new ParameterException(command, "--limit must not be negative.");
        }
        Filter filter = filters.filter(List.of(), states.isEmpty() ? State.SHOWN : states, reason);
        return databases.ask(
                command, json, database -> new Page(database.failures().list(filter, limit)));
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
            Table table =
                    new Table("state", "for", "attempts", "next", "behind", "event", "type", "aggregate", "reason");
            listing.failures().forEach(failure -> add(table, failure));
            String counts = Arrays.stream(State.values())
                    .filter(listing.counts()::containsKey)
                    .map(state -> Words.number(listing.counts().get(state)) + " " + state)
                    .collect(Collectors.joining(", "));
            String shown = listing.failures().size() < all
                    ? "the first %s of %s: "
                            .formatted(Words.number(listing.failures().size()), Words.number(all))
                    : "";
            // Where those that wait are listed, they are not told of a second time.
            String behind = listing.waitingBehind() == 0 || listing.counts().containsKey(State.WAITING)
                    ? ""
                    : "and %s behind them\n"
                            .formatted(Words.count(listing.waitingBehind(), "event")
                                    + (listing.waitingBehind() == 1 ? " waits" : " wait"));
            return table + shown + counts + "\n" + behind;
        }

        private static void add(Table table, Failure failure) {
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
