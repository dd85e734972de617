package io.outboxrelay.relay.command;

import io.outboxrelay.relay.database.Failures.Filter;
import io.outboxrelay.relay.database.Failures.Note;
import io.outboxrelay.relay.database.Failures.State;
import java.util.EnumSet;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

@Command(
        name = "discard",
        mixinStandardHelpOptions = true,
        description =
                "Deletes parked, retried or paused events for good; the next ones of their aggregates move up. The "
                        + "audit keeps who did it and why, and the ids.")
final class FailuresDiscardCommand implements Callable<Integer> {

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
            converter = StateConverter.class,
            description = "Only these of retrying, parked and paused. Default: all three.")
    private final Set<State> states = EnumSet.noneOf(State.class);

    @Option(names = "--reason", required = true, paramLabel = "TEXT", description = "Why, for the audit.")
    private String reason = "";

    @Spec
    private @Nullable CommandSpec spec;

    FailuresDiscardCommand(Map<String, String> environment) {
        this.databases = new DatabaseOptions(environment);
    }

    @Override
    public Integer call() {
        CommandLine command = Objects.requireNonNull(spec).commandLine();
        if (states.contains(State.WAITING)) {
            throw new ParameterException(
                    command, "Waiting events have not failed: discard the one that they wait for, or nothing.");
        }
        Filter filter = selection.filter(command, states.isEmpty() ? State.SHOWN : states, !states.isEmpty());
        Note note = who.noteWithReason(command, reason);
        return new FailuresChange(databases, selection, "event", "discarded")
                .run(command, filter, (failures, progress) -> failures.discard(filter, note, progress));
    }
}
