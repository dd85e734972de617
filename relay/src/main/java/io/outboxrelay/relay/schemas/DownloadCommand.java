package io.outboxrelay.relay.schemas;

import io.outboxrelay.schemas.exchange.ContractExchange;
import java.nio.file.Path;
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
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

@Command(
        name = "download",
        mixinStandardHelpOptions = true,
        description = "Writes versions of subjects from a registry into SUBJECT/vN.avsc, each a schema that stands by"
                + " itself. A file that is there with another schema is a finding, and stays as it is.")
final class DownloadCommand implements Callable<Integer> {

    @Parameters(paramLabel = "SUBJECT", arity = "1..*", description = "Which subjects.")
    private List<String> subjects = List.of();

    @Option(names = "--version-number", paramLabel = "N", description = "Only this version. Default: all.")
    private @Nullable Integer version;

    @Option(
            names = "--into",
            paramLabel = "FOLDER",
            defaultValue = "contracts",
            description = "Where the subjects' folders are made. Default: contracts.")
    private Path folder = Path.of("contracts");

    @Mixin
    private final RegistryOptions registry;

    @Spec
    private @Nullable CommandSpec spec;

    DownloadCommand(Map<String, String> environment) {
        this.registry = new RegistryOptions(environment);
    }

    @Override
    public Integer call() {
        CommandLine command = Objects.requireNonNull(spec).commandLine();
        return registry.with(command, asked -> {
            ContractExchange exchange = new ContractExchange(asked, new Told(command));
            return WrongUse.unless(
                            command,
                            () -> subjects.stream()
                                    .map(subject -> exchange.download(subject, version, folder))
                                    .reduce(true, Boolean::logicalAnd))
                    ? 0
                    : 1;
        });
    }
}
