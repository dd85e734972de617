package io.outboxrelay.relay.command;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.outboxrelay.relay.command.Commands.ConfigurationOptions;
import io.outboxrelay.relay.configuration.Configuration;
import io.outboxrelay.relay.configuration.ConfigurationReader;
import io.outboxrelay.relay.database.Connections;
import io.outboxrelay.relay.database.Consumers;
import io.outboxrelay.relay.database.DatabaseLogin;
import io.outboxrelay.relay.database.Failures;
import io.outboxrelay.relay.database.Failures.UnavailableException;
import io.outboxrelay.relay.gate.SchemaGate;
import io.outboxrelay.relay.lane.ByRoute;
import io.outboxrelay.relay.rabbitmq.BrokerCheck;
import io.outboxrelay.relay.source.SourceSettings;
import io.outboxrelay.schemas.registry.RegistryException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

@Command(
        name = "check-config",
        mixinStandardHelpOptions = true,
        description = "Checks the configuration. Prints its effective values with secrets masked, or all its faults."
                + " If schemas are checked, also names the subjects of the retry rules that have no schema. With"
                + " --connect it also tries the servers; it changes nothing there.",
        footer = {"", "Exit status: 0 valid, 1 a server cannot be used, 2 wrong use or configuration."})
final class CheckConfigCommand implements Callable<Integer> {

    @Mixin
    private final Console console = new Console();

    @Mixin
    private final ConfigurationOptions options;

    @Option(
            names = "--connect",
            description =
                    "Also try the servers: log in to each source and inbox, check its tables and the rights of its"
                            + " user; log in to the broker, check its exchange and the right to publish; look up"
                            + " schemas.")
    private boolean connect;

    CheckConfigCommand(Map<String, String> environment) {
        this.options = new ConfigurationOptions(environment);
    }

    @Override
    public Integer call() {
        ConfigurationReader reader = options.reader();
        console.print(reader.effectiveYaml());
        Configuration configuration = reader.configuration();
        reader.warnings().forEach(console::warn);
        List<String> faults = new ArrayList<>();
        if (connect) {
            configuration.sources().forEach(source -> tryDatabase(source, faults));
            reader.databases().inboxes().forEach(inbox -> tryInbox(inbox, faults));
            BrokerCheck broker = BrokerCheck.of(configuration.broker());
            broker.notes().forEach(this::inOrder);
            faults.addAll(broker.faults());
        }
        List<ByRoute<?>> routes = List.of(
                configuration.failures().onPark(), configuration.failures().unroutable());
        for (SourceSettings source : configuration.sources()) {
            SchemaGate.of(source.name(), source.schemas(), new SimpleMeterRegistry())
                    .ifPresent(gate -> trySchemas(source, gate, routes, faults));
        }
        return connect && !faults.isEmpty() ? failed(faults) : 0;
    }

    /** The rest of the standard output is YAML, so this is a comment. */
    private void inOrder(String what) {
        console.println("# " + Words.plain(what));
    }

    private int failed(List<String> faults) {
        console.problem("%s found on the servers:\n  %s"
                .formatted(Words.count(faults.size(), "fault"), String.join("\n  ", faults)));
        return 1;
    }

    private void tryDatabase(SourceSettings source, List<String> faults) {
        Failures failures = source.dialect()
                .failures(
                        source.schema(),
                        Connections.ofCommand(source.url(), source.schema(), source.user(), source.password()));
        try {
            failures.requireVersion();
            List<String> missing = failures.missingRights(source.retain() != null);
            if (missing.isEmpty()) {
                inOrder("source %s: the user %s can log in and has the privileges of outbox_relay on the tables"
                        .formatted(source.name(), source.user()));
            } else {
                faults.add("source %s: the user %s lacks the rights %s. Grant it the role outbox_relay."
                        .formatted(source.name(), source.user(), String.join(", ", missing)));
            }
        } catch (UnavailableException e) {
            faults.add("source %s: %s".formatted(source.name(), e.getMessage()));
        }
    }

    /** Its user may only inspect, as far as the configuration goes: people who change something name another. */
    private void tryInbox(DatabaseLogin inbox, List<String> faults) {
        Consumers consumers = inbox.dialect()
                .consumers(
                        inbox.schema(),
                        Connections.ofCommand(inbox.url(), inbox.schema(), inbox.user(), inbox.password()));
        try {
            consumers.requireVersion();
            consumers.overview();
            inOrder("inbox %s: the user %s can log in and may read the inbox".formatted(inbox.name(), inbox.user()));
        } catch (UnavailableException e) {
            faults.add("inbox %s: %s".formatted(inbox.name(), e.getMessage()));
        }
    }

    /** A missing schema does not keep a relay from starting: it may be registered later. */
    private void trySchemas(SourceSettings source, SchemaGate gate, List<ByRoute<?>> routes, List<String> faults) {
        try (gate) {
            gate.probe();
            gate.missing(routes).forEach(console::note);
            if (connect) {
                inOrder("source %s: schemas can be looked up".formatted(source.name()));
            }
        } catch (IllegalStateException | RegistryException e) {
            String fault = "source %s: schemas cannot be looked up: %s".formatted(source.name(), e.getMessage());
            faults.add(fault);
            if (!connect) {
                console.note(fault);
            }
        }
    }
}
