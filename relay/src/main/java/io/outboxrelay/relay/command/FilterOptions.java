package io.outboxrelay.relay.command;

import io.outboxrelay.relay.database.Failures.Filter;
import io.outboxrelay.relay.database.Failures.State;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.UUID;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** The options that say which failures are meant: those that fit all that are given. */
final class FilterOptions {

    @Option(names = "--type", paramLabel = "TYPE", description = "Only events of this type.")
    private @Nullable String type;

    @Option(names = "--aggregate-type", paramLabel = "TYPE", description = "Only of aggregates of this type.")
    private @Nullable String aggregateType;

    @Option(names = "--aggregate-id", paramLabel = "ID", description = "Only of aggregates with this id.")
    private @Nullable String aggregateId;

    @Option(
            names = "--older-than",
            paramLabel = "DURATION",
            converter = DurationConverter.class,
            description = "Only those that failed for the first time longer ago, such as 500ms, 30s, 15m, 2h or 7d.")
    private @Nullable Duration olderThan;

    boolean given() {
        return Stream.of(type, aggregateType, aggregateId, olderThan).anyMatch(Objects::nonNull);
    }

    Filter filter(List<UUID> events, Set<State> states, @Nullable String reason) {
        return new Filter(events, states, reason, type, aggregateType, aggregateId, olderThan);
    }
}
