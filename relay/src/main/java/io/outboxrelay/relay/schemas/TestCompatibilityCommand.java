package io.outboxrelay.relay.schemas;

import io.outboxrelay.schemas.contract.Contract;
import io.outboxrelay.schemas.contract.ContractVersion;
import io.outboxrelay.schemas.contract.Contracts;
import io.outboxrelay.schemas.registry.RegisteredSchema;
import io.outboxrelay.schemas.registry.Registry;
import io.outboxrelay.schemas.rule.Check;
import io.outboxrelay.schemas.rule.ComparedVersion;
import io.outboxrelay.schemas.rule.Finding;
import io.outboxrelay.schemas.rule.Report;
import io.outboxrelay.schemas.rule.SchemaComparison;
import java.util.ArrayList;
import java.util.List;
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
        List<String> refusals = new ArrayList<>();
        int status = registry.with(command, asked -> report.print(command, () -> report(asked, refusals)));
        refusals.forEach(command.getErr()::println);
        command.getErr().flush();
        return refusals.isEmpty() ? status : Math.max(1, status);
    }

    private Report report(Registry asked, List<String> refusals) {
        Contracts read = contracts.read();
        return new Report(ContractsParameter.chosen(read, only).stream()
                .flatMap(contract -> checks(asked, contract, refusals).stream())
                .toList());
    }

    private static List<Check> checks(Registry registry, Contract contract, List<String> refusals) {
        List<RegisteredSchema> registered = registry.allVersions(contract.subject());
        List<ContractVersion> missing = contract.versions().stream()
                .filter(version ->
                        registered.stream().noneMatch(there -> there.identity().equals(version.identity())))
                .toList();
        if (!missing.isEmpty() && !registered.isEmpty()) {
            refusal(registry, missing.get(0)).ifPresent(refusals::add);
        }
        return missing.stream()
                .map(version -> new Check(
                        version + " fits to what " + registry + " has (" + contract.compatibility() + ")",
                        findings(contract, version, registered)))
                .toList();
    }

    private static List<Finding> findings(
            Contract contract, ContractVersion version, List<RegisteredSchema> registered) {
        List<Finding> findings = new ArrayList<>();
        int last = registered.size() - 1;
        for (int i = last; i >= (contract.compatibility().transitive() ? 0 : Math.max(0, last)); i--) {
            ComparedVersion before = new ComparedVersion(
                    "v" + registered.get(i).version(),
                    version.origin(),
                    registered.get(i).schema());
            ComparedVersion after = ComparedVersion.of(version);
            findings.addAll(
                    i == last
                            ? SchemaComparison.compare(before, after, contract.compatibility())
                            : SchemaComparison.compareFar(before, after, contract.compatibility()));
        }
        return findings;
    }

    private static Optional<String> refusal(Registry registry, ContractVersion version) {
        Registry.Verdict verdict = registry.test(version.subject(), version.schema());
        return verdict.compatible()
                ? Optional.empty()
                : Optional.of("%s would be refused by the registry %s (%s)%s"
                        .formatted(
                                version,
                                registry,
                                registry.compatibility(version.subject()),
                                verdict.reason().isEmpty() ? "" : ": " + verdict.reason()));
    }
}
