package io.outboxrelay.relay.command;

import io.outboxrelay.relay.database.Published.Selection;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.TypeConversionException;

/** Which of the retained events are to be sent again: never all of them unless that was said. */
final class ReplayOptions {

    /** Converted below: of ids that do not fit, picocli would only say that it has no place for them. */
    @Parameters(arity = "0..*", paramLabel = "EVENT_ID", description = "Ids of events.")
    private final List<String> events = new ArrayList<>();

    @Option(
            names = "--from",
            paramLabel = "TIME",
            converter = TimeConverter.class,
            description =
                    "Only what was published then or later, by the database's clock, such as 2026-01-31 (in UTC) or "
                            + "2026-01-31T12:00:00Z.")
    private @Nullable Instant from;

    @Option(
            names = "--to",
            paramLabel = "TIME",
            converter = TimeConverter.class,
            description = "Only what was published before. Default: now.")
    private @Nullable Instant to;

    @Option(names = "--type", paramLabel = "TYPE", description = "Only events of this type.")
    private @Nullable String type;

    @Option(names = "--aggregate-type", paramLabel = "TYPE", description = "Only of aggregates of this type.")
    private @Nullable String aggregateType;

    @Option(names = "--aggregate-id", paramLabel = "ID", description = "Only of aggregates with this id.")
    private @Nullable String aggregateId;

    @Option(names = "--all", description = "Everything that is retained, without ids and filters.")
    private boolean all;

    Selection selection(CommandLine command) {
        Selection selection = new Selection(ids(command), from, to, type, aggregateType, aggregateId);
        if (!selection.isNarrowed() && !all) {
            throw new ParameterException(command, "Say which events: EVENT_ID..., filters, or --all.");
        }
        if (selection.isNarrowed() && all) {
            throw new ParameterException(command, "--all goes without EVENT_ID and without filters.");
        }
        if (from != null && to != null && !from.isBefore(to)) {
            throw new ParameterException(command, "--from %s is not before --to %s.".formatted(from, to));
        }
        return selection;
    }

    private List<UUID> ids(CommandLine command) {
        try {
            return events.stream()
                    .map(new EventIdConverter()::convert)
                    .distinct()
                    .toList();
        } catch (TypeConversionException e) {
            throw new ParameterException(command, String.valueOf(e.getMessage()));
        }
    }
}
