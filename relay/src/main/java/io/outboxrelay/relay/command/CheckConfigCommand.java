package io.outboxrelay.relay.command;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.outboxrelay.relay.configuration.Configuration;
import io.outboxrelay.relay.configuration.ConfigurationReader;
import io.outboxrelay.relay.gate.SchemaGate;
import io.outboxrelay.relay.lane.ByRoute;
import io.outboxrelay.relay.source.SourceSettings;
import io.outboxrelay.schemas.registry.RegistryException;
import java.io.PrintWriter;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

@Command(
        name = "check-config",
        mixinStandardHelpOptions = true,
        description =
                "Prints the effective configuration with secrets masked, or everything that is wrong with it; and which subjects have no schema.")
final class CheckConfigCommand implements Callable<Integer> {

    @Mixin
    private final ConfigurationOptions options;

    @Spec
    private @Nullable CommandSpec spec;

    CheckConfigCommand(Map<String, String> environment) {
        this.options = new ConfigurationOptions(environment);
    }

    @Override
    public Integer call() {
        ConfigurationReader reader = options.reader();
        CommandLine command = Objects.requireNonNull(spec).commandLine();
        command.getOut().print(reader.effectiveYaml());
        command.getOut().flush();
        Configuration configuration = reader.configuration();
        reader.warnings().forEach(warning -> Words.warn(command, warning));
        List<ByRoute<?>> routes = List.of(
                configuration.failures().onPark(), configuration.failures().unroutable());
        for (SourceSettings source : configuration.sources()) {
            SchemaGate.of(source.name(), source.schemas(), new SimpleMeterRegistry())
                    .ifPresent(gate -> report(gate, routes, command.getErr()));
        }
        return 0;
    }

    /** What is said here does not keep a relay from starting: a schema may be registered later. */
    private static void report(SchemaGate gate, List<ByRoute<?>> routes, PrintWriter err) {
        try (gate) {
            gate.probe();
            gate.missing(routes).forEach(err::println);
        } catch (IllegalStateException | RegistryException e) {
            err.println("Schemas cannot be looked up: " + e.getMessage());
        }
        err.flush();
    }
}
