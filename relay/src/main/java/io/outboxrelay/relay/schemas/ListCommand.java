package io.outboxrelay.relay.schemas;

import io.outboxrelay.schemas.registry.Registry;
import java.io.PrintWriter;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

@Command(
        name = "list",
        mixinStandardHelpOptions = true,
        description = "Lists the subjects of a registry: versions, compatibility and the identity of the newest.")
final class ListCommand implements Callable<Integer> {

    @Mixin
    private final RegistryOptions registry;

    @Spec
    private @Nullable CommandSpec spec;

    ListCommand(Map<String, String> environment) {
        this.registry = new RegistryOptions(environment);
    }

    @Override
    public Integer call() {
        CommandLine command = Objects.requireNonNull(spec).commandLine();
        return registry.with(command, asked -> list(asked, command.getOut()));
    }

    private static int list(Registry registry, PrintWriter out) {
        for (String subject : registry.subjects()) {
            var versions = registry.allVersions(subject);
            if (!versions.isEmpty()) {
                out.printf(
                        "%s  %s  versions %s  newest %s%n",
                        subject,
                        registry.compatibility(subject),
                        versions.stream()
                                .map(version -> String.valueOf(version.version()))
                                .collect(Collectors.joining(", ")),
                        versions.get(versions.size() - 1).identity());
            }
        }
        out.flush();
        return 0;
    }
}
