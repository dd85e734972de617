package io.outboxrelay.relay;

import io.outboxrelay.relay.postgresql.PostgresFailures.Filter;
import io.outboxrelay.relay.postgresql.PostgresFailures.State;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import picocli.CommandLine;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;

/** Which failures a command is to change: never all of them unless that was said. */
final class SelectionOptions {

    @Parameters(
            arity = "0..*",
            paramLabel = "EVENT_ID",
            converter = EventIdConverter.class,
            description = "Ids of events.")
    private final List<UUID> events = new ArrayList<>();

    @Mixin
    private final FilterOptions filters = new FilterOptions();

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
        boolean narrowed = !events.isEmpty() || filters.given() || byState;
        if (!narrowed && !all) {
            throw new ParameterException(command, "Say which events: EVENT_ID..., filters, or --all.");
        }
        if (narrowed && all) {
            throw new ParameterException(command, "--all goes without EVENT_ID and without filters.");
        }
        return filters.filter(events, states);
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
