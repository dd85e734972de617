package io.outboxrelay.relay.schemas;

import io.outboxrelay.schemas.exchange.ContractExchange;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

@Command(
        name = "test-compatibility",
        mixinStandardHelpOptions = true,
        description =
                "Compares the versions of the contracts that a registry does not have with those that it has, and asks"
                        + " the registry as well. Registers nothing.")
final class TestCompatibilityCommand implements Callable<Integer> {

    @Mixin
    private final ContractsParameter contracts = new ContractsParameter();

    @Option(names = "--subject", paramLabel = "SUBJECT", description = "Only this one. Default: all.")
    private @Nullable String only;

    @Mixin
    private final RegistryOptions registry;

    @Mixin
    private final ReportOptions report = new ReportOptions();

    @Spec
    private @Nullable CommandSpec spec;

    TestCompatibilityCommand(Map<String, String> environment) {
        this.registry = new RegistryOptions(environment);
    }

    @Override
    public Integer call() {
        CommandLine command = Objects.requireNonNull(spec).commandLine();
        return registry.with(command, asked -> {
            ContractExchange exchange = new ContractExchange(asked, new Told(command));
            AtomicBoolean accepted = new AtomicBoolean();
            int status = report.print(command, () -> {
                ContractExchange.Test test = exchange.test(ContractsParameter.chosen(contracts.read(), only));
                accepted.set(test.accepted());
                return test.report();
            });
            return accepted.get() ? status : 1;
        });
    }
}
