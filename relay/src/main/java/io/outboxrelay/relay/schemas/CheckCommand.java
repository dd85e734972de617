package io.outboxrelay.relay.schemas;

import io.outboxrelay.schemas.contract.Contracts;
import io.outboxrelay.schemas.rule.ContractChecks;
import io.outboxrelay.schemas.rule.Report;
import java.nio.file.Path;
import java.util.Objects;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

@Command(
        name = "check",
        mixinStandardHelpOptions = true,
        description = {
            "Compares the versions of each contract, as its compatibility demands: with each other or, where it is said"
                    + " what is released, new versions with those before, and released ones with what they were.",
            "Needs no network."
        })
final class CheckCommand implements Callable<Integer> {

    @Mixin
    private final ContractsParameter contracts = new ContractsParameter();

    @ArgGroup
    private @Nullable Released released;

    @Mixin
    private final ReportOptions report = new ReportOptions();

    @Spec
    private @Nullable CommandSpec spec;

    /** Where the released contracts are: in one of two sorts of places. */
    static final class Released {

        @Option(
                names = "--released",
                paramLabel = "PLACE",
                description = "Folder or jar with the contracts that are released.")
        private @Nullable Path place;

        @Option(
                names = "--released-revision",
                paramLabel = "REVISION",
                description = "Branch, tag or commit of git in which the same folder is as it was released.")
        private @Nullable String revision;
    }

    @Override
    public Integer call() {
        return report.print(Objects.requireNonNull(spec).commandLine(), this::checked);
    }

    private Report checked() {
        Contracts now = contracts.read();
        if (released == null) {
            return ContractChecks.compareVersions(now);
        }
        Contracts then = released.place == null
                ? Contracts.readRevision(contracts.place(), Objects.requireNonNull(released.revision))
                : Contracts.read(released.place);
        return ContractChecks.compareWithReleased(now, then);
    }
}
