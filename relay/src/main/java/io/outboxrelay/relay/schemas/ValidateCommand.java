package io.outboxrelay.relay.schemas;

import io.outboxrelay.schemas.rule.ContractChecks;
import java.util.Objects;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

@Command(
        name = "validate",
        mixinStandardHelpOptions = true,
        description = "Looks at contracts by themselves: syntax, names, references, documentation.")
final class ValidateCommand implements Callable<Integer> {

    @Mixin
    private final ContractsParameter contracts = new ContractsParameter();

    @Mixin
    private final ReportOptions report = new ReportOptions();

    @Spec
    private @Nullable CommandSpec spec;

    @Override
    public Integer call() {
        return report.print(
                Objects.requireNonNull(spec).commandLine(), () -> ContractChecks.validate(contracts.read()));
    }
}
