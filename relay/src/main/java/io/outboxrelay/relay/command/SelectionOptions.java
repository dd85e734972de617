package io.outboxrelay.relay.command;

import io.outboxrelay.relay.database.Failures.Filter;
import io.outboxrelay.relay.database.Failures.State;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.UUID;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Which failures a command is to change: never all of them unless that was said. */
final class SelectionOptions {

    @Mixin
    private final Console console = new Console();

    /** Texts, as {@code EventIdConverter.all} wants them. */
    @Parameters(arity = "0..*", paramLabel = "EVENT_ID", description = "Ids of events.")
    private final List<String> events = new ArrayList<>();

    @Mixin
    private final FilterOptions filters = new FilterOptions();

    @Option(
            names = "--failure-reason",
            paramLabel = "REASON",
            converter = Words.ReasonConverter.class,
            description = "Only those that failed for this reason, as list shows it.")
    private @Nullable String failureReason;

    @Option(names = "--all", description = "All of them, without ids and filters.")
    private boolean all;

    @Option(names = "--dry-run", description = "Only says how many it would change.")
    private boolean dryRun;

    boolean dryRun() {
        return dryRun;
    }

    /**
     * What was chosen.
     *
     * @param states to choose from
     * @param byState whether these were given as a filter, too
     */
    Filter filter(Set<State> states, boolean byState) {
        boolean narrowed = !events.isEmpty() || filters.given() || failureReason != null || byState;
        if (!narrowed && !all) {
            throw console.wrongUse("Say which events: EVENT_ID..., filters, or --all.");
        }
        if (narrowed && all) {
            throw console.wrongUse("--all goes without EVENT_ID and without filters.");
        }
        return filters.filter(Words.EventIdConverter.all(events, console), states, failureReason);
    }

    /** Says so when not all ids were found as what the command changes. */
    void explainMissing(long changed) {
        if (changed < events.size()) {
            console.println("%d of %d ids were not such an event: explain EVENT_ID tells where it is."
                    .formatted(events.size() - changed, events.size()));
        }
    }

    /** The options that say which failures are meant: those that fit all that are given. */
    static final class FilterOptions {

        @Option(names = "--type", paramLabel = "TYPE", description = "Only events of this type.")
        private @Nullable String type;

        @Option(names = "--aggregate-type", paramLabel = "TYPE", description = "Only of aggregates of this type.")
        private @Nullable String aggregateType;

        @Option(names = "--aggregate-id", paramLabel = "ID", description = "Only of aggregates with this id.")
        private @Nullable String aggregateId;

        @Option(
                names = "--older-than",
                paramLabel = "DURATION",
                converter = Words.AgeConverter.class,
                description =
                        "Only those that failed for the first time longer ago, such as 500ms, 30s, 15m, 2h or 7d.")
        private @Nullable Duration olderThan;

        boolean given() {
            return Stream.of(type, aggregateType, aggregateId, olderThan).anyMatch(Objects::nonNull);
        }

        Filter filter(List<UUID> events, Set<State> states, @Nullable String reason) {
            return new Filter(events, states, reason, type, aggregateType, aggregateId, olderThan);
        }
    }
}
