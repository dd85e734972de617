package io.outboxrelay.relay.schemas;

import io.outboxrelay.schemas.contract.Contract;
import io.outboxrelay.schemas.contract.ContractVersion;
import io.outboxrelay.schemas.contract.Contracts;
import io.outboxrelay.schemas.registry.RegisteredSchema;
import io.outboxrelay.schemas.registry.Registry;
import io.outboxrelay.schemas.registry.RegistryException;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
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
            Contracts read = contracts.read();
            return registry.with(
                    command,
                    asked -> ContractsParameter.chosen(read, only).stream()
                            .mapToInt(contract -> register(asked, contract, command))
                            .max()
                            .orElse(0));
        });
    }

    /** Stops at the first version that is refused: later ones build on it. */
    private static int register(Registry registry, Contract contract, CommandLine command) {
        try {
            for (ContractVersion version : contract.versions()) {
                if (!registered(registry, contract, version, command)) {
                    return 1;
                }
            }
            return 0;
        } finally {
            command.getOut().flush();
            command.getErr().flush();
        }
    }

    private static boolean registered(
            Registry registry, Contract contract, ContractVersion version, CommandLine command) {
        Optional<RegisteredSchema> before = registry.find(contract.subject(), version.schema());
        RegisteredSchema registered;
        try {
            registered = before.isPresent() ? before.get() : registry.register(contract.subject(), version.schema());
        } catch (RegistryException e) {
            if (e.kind() != RegistryException.Kind.INCOMPATIBLE) {
                throw e;
            }
            command.getErr().println(version + " is refused: " + e.getMessage());
            command.getErr().println("  To see which rule it breaks: schemas test-compatibility");
            return false;
        }
        if (registered.version() != version.number()) {
            command.getErr()
                    .println(
                            "%s is version %d in the registry: the numbers of a contract and of its subject must agree, or events are refused. Add what the registry has and the contract lacks: schemas download %s"
                                    .formatted(version, registered.version(), contract.subject()));
            return false;
        }
        if (registry.compatibility(contract.subject()) != contract.compatibility()) {
            registry.setCompatibility(contract.subject(), contract.compatibility());
        }
        command.getOut()
                .println(version + (before.isPresent() ? " is there already" : " is registered") + " as id "
                        + registered.id());
        return true;
    }
}
