package io.outboxrelay.relay.schemas;

import io.outboxrelay.schemas.exchange.ContractExchange;
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
        name = "list",
        mixinStandardHelpOptions = true,
        description = "Lists the subjects of a registry: versions, compatibility and the identity of the newest.")
final class ListCommand implements Callable<Integer> {

    @Mixin
    private final RegistryOptions registry;

    @Spec
    private @Nullable CommandSpec spec;

    ListCommand(Map<String, String> environment) {
        this.registry = new RegistryOptions(environment);
    }

    @Override
    public Integer call() {
        CommandLine command = Objects.requireNonNull(spec).commandLine();
        return registry.with(command, asked -> {
            new ContractExchange(asked, new Told(command)).list();
            return 0;
        });
    }
}
