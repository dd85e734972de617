package io.outboxrelay.relay.schemas;

import io.outboxrelay.schemas.contract.ContractsException;
import io.outboxrelay.schemas.rule.ContractChecks;
import io.outboxrelay.schemas.rule.Report;
import io.outboxrelay.schemas.site.ContractSite;
import java.io.PrintWriter;
import java.nio.file.Path;
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
        name = "docs",
        mixinStandardHelpOptions = true,
        description = "Writes a catalogue of all events: pages that need no server.")
final class DocsCommand implements Callable<Integer> {

    @Mixin
    private final ContractsParameter contracts = new ContractsParameter();

    @Option(
            names = "--output",
            paramLabel = "FOLDER",
            defaultValue = "contracts-site",
            description = "Where to write. Default: contracts-site.")
    private Path output = Path.of("contracts-site");

    @Spec
    private @Nullable CommandSpec spec;

    @Override
    public Integer call() {
        CommandLine command = Objects.requireNonNull(spec).commandLine();
        PrintWriter out = command.getOut();
        try {
            out.println(WrongUse.unless(command, () -> ContractSite.write(contracts.read(), output)));
            return 0;
        } catch (ContractsException e) {
            out.print(ContractChecks.unreadable(e).in(Report.Format.TEXT));
            return 1;
        } finally {
            out.flush();
        }
    }
}
