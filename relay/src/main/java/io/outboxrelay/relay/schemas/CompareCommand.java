package io.outboxrelay.relay.schemas;

import io.outboxrelay.schemas.contract.Compatibility;
import io.outboxrelay.schemas.rule.ContractChecks;
import java.nio.file.Path;
import java.util.Objects;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

@Command(
        name = "compare",
        mixinStandardHelpOptions = true,
        description = "Compares two schemas, each a file that stands by itself.")
final class CompareCommand implements Callable<Integer> {

    @Parameters(index = "0", paramLabel = "OLD.avsc", description = "The old version.")
    private Path old = Path.of("");

    @Parameters(index = "1", paramLabel = "NEW.avsc", description = "The new version.")
    private Path now = Path.of("");

    @Option(
            names = "--mode",
            paramLabel = "MODE",
            defaultValue = "FULL_TRANSITIVE",
            description = "What is promised: ${COMPLETION-CANDIDATES}. Default: FULL_TRANSITIVE.")
    private Compatibility mode = Compatibility.FULL_TRANSITIVE;

    @Mixin
    private final ReportOptions report = new ReportOptions();

    @Spec
    private @Nullable CommandSpec spec;

    @Override
    public Integer call() {
        return report.print(
                Objects.requireNonNull(spec).commandLine(), () -> ContractChecks.compareFiles(old, now, mode));
    }
}
