package io.outboxrelay.relay.command;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.outboxrelay.relay.database.Failures.Failure;
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
        name = "show",
        mixinStandardHelpOptions = true,
        description = "Shows all that is known of one failure, but its payload and the values of its headers.")
final class FailuresShowCommand implements Callable<Integer> {

    @Mixin
    private final DatabaseOptions databases;

    @Parameters(paramLabel = "EVENT_ID", converter = EventIdConverter.class, description = "Id of an event.")
    private @Nullable UUID event;

    @Option(names = "--json", description = "JSON instead of lines.")
    private boolean json;

    @Spec
    private @Nullable CommandSpec spec;

    FailuresShowCommand(Map<String, String> environment) {
        this.databases = new DatabaseOptions(environment);
    }

    @Override
    public Integer call() {
        UUID id = Objects.requireNonNull(event);
        return databases.ask(
                Objects.requireNonNull(spec).commandLine(),
                json,
                database -> new Details(database.failures().find(id).orElse(null)));
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
