package io.outboxrelay.relay.command;

import io.outboxrelay.relay.operations.StatusReport;
import java.io.PrintWriter;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

@Command(
        name = "status",
        mixinStandardHelpOptions = true,
        description = "Shows backlog, lag, lanes and their owners of every source, as its database has them.",
        footer = {"", "Exit status: 0 when every source answered, 1 when one did not, 2 wrong use or configuration."})
final class StatusCommand implements Callable<Integer> {

    @Mixin
    private final ConfigurationOptions options;

    @Option(names = "--json", description = "JSON instead of a table.")
    private boolean json;

    @Spec
    private @Nullable CommandSpec spec;

    StatusCommand(Map<String, String> environment) {
        this.options = new ConfigurationOptions(environment);
    }

    @Override
    public Integer call() {
        StatusReport report = StatusReport.read(options.reader().sources());
        PrintWriter out = Objects.requireNonNull(spec).commandLine().getOut();
        out.print(json ? report.toJson() + System.lineSeparator() : report.toTable());
        out.flush();
        return report.complete() ? 0 : 1;
    }
}
