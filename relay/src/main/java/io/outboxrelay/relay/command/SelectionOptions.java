package io.outboxrelay.relay.command;

import io.outboxrelay.relay.database.Failures.Filter;
import io.outboxrelay.relay.database.Failures.State;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.TypeConversionException;

/** Which failures a command is to change: never all of them unless that was said. */
final class SelectionOptions {

    /** Converted below: of ids that do not fit, picocli would only say that it has no place for them. */
    @Parameters(arity = "0..*", paramLabel = "EVENT_ID", description = "Ids of events.")
    private final List<String> events = new ArrayList<>();

    @Mixin
    private final FilterOptions filters = new FilterOptions();

    @Option(
            names = "--failure-reason",
            paramLabel = "REASON",
            converter = ReasonConverter.class,
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
     * @param command that was given
     * @param states to choose from
     * @param byState whether these were given as a filter, too
     */
    Filter filter(CommandLine command, Set<State> states, boolean byState) {
        boolean narrowed = !events.isEmpty() || filters.given() || failureReason != null || byState;
        if (!narrowed && !all) {
            throw new ParameterException(command, "Say which events: EVENT_ID..., filters, or --all.");
        }
        if (narrowed && all) {
            throw new ParameterException(command, "--all goes without EVENT_ID and without filters.");
        }
        return filters.filter(ids(command), states, failureReason);
    }

    private List<UUID> ids(CommandLine command) {
        try {
            EventIdConverter converter = new EventIdConverter();
            return events.stream().map(converter::convert).distinct().toList();
        } catch (TypeConversionException e) {
            throw new ParameterException(command, String.valueOf(e.getMessage()));
        }
    }

    /** Says so when not all ids were found as what the command changes. */
    void explainMissing(CommandLine command, long changed) {
        if (changed < events.size()) {
            command.getOut()
                    .printf(
                            "%d of %d ids were not such an event: explain EVENT_ID tells where it is.%n",
                            events.size() - changed, events.size());
            command.getOut().flush();
        }
    }
}
