package io.outboxrelay.relay.command;

import io.outboxrelay.relay.database.Failures.Filter;
import io.outboxrelay.relay.database.Failures.Note;
import io.outboxrelay.relay.database.Failures.State;
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
import picocli.CommandLine.Spec;

@Command(
        name = "retry",
        mixinStandardHelpOptions = true,
        description = "Lets parked events be published again, with their attempts anew and in the order of their "
                + "aggregates. Two who do this at once retry an event once.")
final class FailuresRetryCommand implements Callable<Integer> {

    @Mixin
    private final DatabaseOptions databases;

    @Mixin
    private final SelectionOptions selection = new SelectionOptions();

    @Mixin
    private final WhoOption who = new WhoOption();

    @Option(names = "--reason", paramLabel = "TEXT", description = "Why, for the audit.")
    private String reason = "";

    @Spec
    private @Nullable CommandSpec spec;

    FailuresRetryCommand(Map<String, String> environment) {
        this.databases = new DatabaseOptions(environment);
    }

    @Override
    public Integer call() {
        CommandLine command = Objects.requireNonNull(spec).commandLine();
        Filter filter = selection.filter(command, Set.of(State.PARKED), false);
        Note note = who.note(command, reason);
        return new FailuresChange(databases, selection, "parked event", "retried")
                .run(command, filter, (failures, progress) -> failures.retry(filter, note, progress));
    }
}
