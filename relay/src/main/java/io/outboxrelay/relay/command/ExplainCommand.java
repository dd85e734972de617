package io.outboxrelay.relay.command;

import java.util.Map;
import java.util.Objects;
import java.util.UUID;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

@Command(
        name = "explain",
        mixinStandardHelpOptions = true,
        description =
                "Tells where an event is, what it waits for and what can be done about it. Reads the whole outbox.")
final class ExplainCommand implements Callable<Integer> {

    @Mixin
    private final DatabaseOptions databases;

    @Parameters(paramLabel = "EVENT_ID", converter = EventIdConverter.class, description = "Id of an event.")
    private @Nullable UUID event;

    @Option(names = "--json", description = "JSON instead of sentences.")
    private boolean json;

    @Spec
    private @Nullable CommandSpec spec;

    ExplainCommand(Map<String, String> environment) {
        this.databases = new DatabaseOptions(environment);
    }

    @Override
    public Integer call() {
        UUID id = Objects.requireNonNull(event);
        return databases.ask(
                Objects.requireNonNull(spec).commandLine(),
                json,
                database -> new Explanation(
                        database.source(), id, database.failures().locate(id)));
    }
}
