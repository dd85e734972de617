package io.outboxrelay.relay.command;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.outboxrelay.relay.command.DatabaseOptions.Answer;
import io.outboxrelay.relay.command.DatabaseOptions.Reach;
import io.outboxrelay.relay.database.Consumers.Consumer;
import io.outboxrelay.relay.lane.FailurePolicy.State;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

@Command(
        name = "inbox",
        mixinStandardHelpOptions = true,
        description = "Shows what consumers have done and given up, and repairs it. Talks to the databases of sources"
                + " and inboxes directly, so no consumer has to be running.",
        footer = {"", "Exit status: 0 success, 1 failed, 2 wrong use or configuration."})
final class InboxCommand implements Callable<Integer> {

    @Mixin
    private final Console console = new Console();

    private InboxCommand() {}

    static CommandLine commandLine(Map<String, String> environment) {
        return new CommandLine(new InboxCommand())
                .addSubcommand(new StatusOfConsumers(environment))
                .addSubcommand(FailuresCommand.commandLine(environment, FailureSide.CONSUMER))
                .addSubcommand(new RedriveCommand(environment));
    }

    @Override
    public Integer call() {
        throw console.wrongUse("Say what to do: status, failures or redrive.");
    }

    @Command(
            name = "status",
            mixinStandardHelpOptions = true,
            description = "Shows for every consumer how many events it took within the last hour, how many it has"
                    + " given up and how old the oldest is, and which instances of a partitioned consumer are alive.",
            footer = {"", "Exit status: 0 all databases answered, 1 one did not answer, 2 wrong use or configuration."})
    static final class StatusOfConsumers implements Callable<Integer> {

        @Mixin
        private final DatabaseOptions databases;

        @Option(names = "--json", description = "Print JSON instead of a table.")
        private boolean json;

        StatusOfConsumers(Map<String, String> environment) {
            this.databases = new DatabaseOptions(environment, Reach.INBOXES);
        }

        @Override
        public Integer call() {
            return databases.ask(
                    json, database -> new Overview(database.consumers().overview()));
        }

        private record Overview(List<Consumer> consumers) implements Answer {

            private static final List<State> STATES = List.of(State.PARKED, State.RETRYING, State.WAITING);

            @Override
            public String text() {
                if (consumers.isEmpty()) {
                    return "no consumer has used this inbox\n";
                }
                Words.Table table = new Words.Table(
                        "consumer", "last hour", "parked", "retrying", "waiting", "oldest", "instances");
                consumers.forEach(consumer -> table.row(
                        Words.plain(consumer.name()),
                        (consumer.counted() ? "" : "at least ") + Words.number(consumer.notedWithinAnHour()),
                        failures(consumer, State.PARKED),
                        failures(consumer, State.RETRYING),
                        failures(consumer, State.WAITING),
                        consumer.oldestSeconds() == null
                                ? "-"
                                : Words.duration(Duration.ofSeconds(
                                        consumer.oldestSeconds().longValue())),
                        instances(consumer)));
                boolean failed = consumers.stream()
                        .anyMatch(consumer -> !consumer.failures().isEmpty());
                return table + (failed ? "To see which events failed and why, run: inbox failures list\n" : "");
            }

            private static String failures(Consumer consumer, State state) {
                return Words.number(consumer.failures().getOrDefault(state, 0L));
            }

            /** A consumer whose queue is not partitioned does not say that it is alive. */
            private static String instances(Consumer consumer) {
                return consumer.instances().isEmpty()
                        ? "-"
                        : "%d: %s"
                                .formatted(
                                        consumer.instances().size(),
                                        consumer.instances().stream()
                                                .map(Words::plain)
                                                .collect(Collectors.joining(", ")));
            }

            @Override
            public void addTo(ObjectNode json) {
                ArrayNode list = json.putArray("consumers");
                for (Consumer consumer : consumers) {
                    ObjectNode entry = list.addObject();
                    entry.put("consumer", consumer.name());
                    entry.put("noted_last_hour", consumer.notedWithinAnHour());
                    entry.put("noted_is_minimum", !consumer.counted());
                    ObjectNode failures = entry.putObject("failures");
                    STATES.stream()
                            .filter(consumer.failures()::containsKey)
                            .forEach(state -> failures.put(
                                    state.toString(), consumer.failures().get(state)));
                    entry.put("oldest_seconds", consumer.oldestSeconds());
                    ArrayNode instances = entry.putArray("instances");
                    consumer.instances().forEach(instances::add);
                }
            }
        }
    }
}
