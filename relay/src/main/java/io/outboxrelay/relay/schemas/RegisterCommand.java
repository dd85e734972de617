package io.outboxrelay.relay.schemas;

import io.outboxrelay.schemas.contract.Contract;
import io.outboxrelay.schemas.exchange.ContractExchange;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

@Command(
        name = "register",
        mixinStandardHelpOptions = true,
        description =
                "Registers every version of the contracts that a registry does not have, the oldest first, and sets"
                        + " the compatibility of their subjects. What is there already stays as it is.")
final class RegisterCommand implements Callable<Integer> {

    @Mixin
    private final ContractsParameter contracts = new ContractsParameter();

    @Option(names = "--subject", paramLabel = "SUBJECT", description = "Only this one. Default: all.")
    private @Nullable String only;

    @Mixin
    private final RegistryOptions registry;

    @Spec
    private @Nullable CommandSpec spec;

    RegisterCommand(Map<String, String> environment) {
        this.registry = new RegistryOptions(environment);
    }

    @Override
    public Integer call() {
        CommandLine command = Objects.requireNonNull(spec).commandLine();
        return ContractsParameter.checked(command, () -> {
            List<Contract> chosen = ContractsParameter.chosen(contracts.read(), only);
            return registry.with(command, asked -> {
                ContractExchange exchange = new ContractExchange(asked, new Told(command));
                // All of them: what one contract is refused says nothing of the others.
                return chosen.stream().map(exchange::register).reduce(true, Boolean::logicalAnd) ? 0 : 1;
            });
        });
    }
}
