package io.outboxrelay.relay.command;

import io.outboxrelay.relay.operations.StatusReport;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

@Command(
        name = "status",
        mixinStandardHelpOptions = true,
        description = "Shows backlog, lag, lanes and their owners of every source, as its database has them.",
        footer = {"", "Exit status: 0 when every source answered, 1 when one did not, 2 wrong use or configuration."})
final class StatusCommand implements Callable<Integer> {

    @Mixin
    private final Console console = new Console();

    @Mixin
    private final ConfigurationOptions options;

    @Option(names = "--json", description = "JSON instead of a table.")
    private boolean json;

    StatusCommand(Map<String, String> environment) {
        this.options = new ConfigurationOptions(environment);
    }

    @Override
    public Integer call() {
        StatusReport report = StatusReport.read(options.reader().sources());
        console.print(json ? report.toJson() + System.lineSeparator() : report.toTable());
        return report.complete() ? 0 : 1;
    }
}
