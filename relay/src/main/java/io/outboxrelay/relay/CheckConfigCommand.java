package io.outboxrelay.relay;

import java.util.Map;
import java.util.Objects;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

@Command(
        name = "check-config",
        mixinStandardHelpOptions = true,
        versionProvider = Version.class,
        description = "Prints the effective configuration with secrets masked, or everything that is wrong with it.")
final class CheckConfigCommand implements Callable<Integer> {

    @Mixin
    private final ConfigurationOptions options;

    @Spec
    private @Nullable CommandSpec spec;

    CheckConfigCommand(Map<String, String> environment) {
        this.options = new ConfigurationOptions(environment);
    }

    @Override
    public Integer call() {
        String yaml = options.reader().effectiveYaml();
        Objects.requireNonNull(spec).commandLine().getOut().print(yaml);
        Objects.requireNonNull(spec).commandLine().getOut().flush();
        return 0;
    }
}
