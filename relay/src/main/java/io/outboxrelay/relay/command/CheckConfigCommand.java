package io.outboxrelay.relay.command;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.outboxrelay.relay.command.Commands.ConfigurationOptions;
import io.outboxrelay.relay.configuration.Configuration;
import io.outboxrelay.relay.configuration.ConfigurationReader;
import io.outboxrelay.relay.gate.SchemaGate;
import io.outboxrelay.relay.lane.ByRoute;
import io.outboxrelay.relay.source.SourceSettings;
import io.outboxrelay.schemas.registry.RegistryException;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

@Command(
        name = "check-config",
        mixinStandardHelpOptions = true,
        description = "Checks the configuration. Prints its effective values with secrets masked, or all its faults."
                + " If schemas are checked, also names the subjects of the retry rules that have no schema.",
        footer = {"", "Exit status: 0 valid, 1 failed, 2 wrong use or configuration."})
final class CheckConfigCommand implements Callable<Integer> {

    @Mixin
    private final Console console = new Console();

    @Mixin
    private final ConfigurationOptions options;

    CheckConfigCommand(Map<String, String> environment) {
        this.options = new ConfigurationOptions(environment);
    }

    @Override
    public Integer call() {
        ConfigurationReader reader = options.reader();
        console.print(reader.effectiveYaml());
        Configuration configuration = reader.configuration();
        reader.warnings().forEach(console::warn);
        List<ByRoute<?>> routes = List.of(
                configuration.failures().onPark(), configuration.failures().unroutable());
        for (SourceSettings source : configuration.sources()) {
            SchemaGate.of(source.name(), source.schemas(), new SimpleMeterRegistry())
                    .ifPresent(gate -> report(gate, routes));
        }
        return 0;
    }

    /** A missing schema does not keep a relay from starting: it may be registered later. */
    private void report(SchemaGate gate, List<ByRoute<?>> routes) {
        try (gate) {
            gate.probe();
            gate.missing(routes).forEach(console::note);
        } catch (IllegalStateException | RegistryException e) {
            console.note("Schemas cannot be looked up: " + e.getMessage());
        }
    }
}
