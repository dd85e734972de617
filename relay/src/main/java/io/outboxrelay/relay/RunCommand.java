package io.outboxrelay.relay;

import io.outboxrelay.relay.command.Commands.ConfigurationOptions;
import io.outboxrelay.relay.configuration.Configuration;
import io.outboxrelay.relay.configuration.ConfigurationReader;
import io.outboxrelay.relay.lane.Help;
import io.outboxrelay.relay.operations.Logging;
import java.util.Map;
import java.util.concurrent.Callable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

@Command(
        name = "run",
        mixinStandardHelpOptions = true,
        description = "Publishes the events of all configured sources until SIGTERM or Ctrl-C, then drains.",
        footer = {
            "",
            "Exit status: 0 stopped after SIGTERM, 1 failed, or still not drained 10 s after the grace period, 2"
                    + " wrong use or configuration."
        })
final class RunCommand implements Callable<Integer> {

    private static final Logger LOG = LoggerFactory.getLogger(RunCommand.class);

    @Mixin
    private final ConfigurationOptions options;

    RunCommand(Map<String, String> environment) {
        this.options = new ConfigurationOptions(environment);
    }

    @Override
    public Integer call() throws InterruptedException {
        ConfigurationReader reader = options.reader();
        Configuration configuration = reader.configuration();
        Logging.start(configuration.log(), Logging.Stream.OUT);
        reader.warnings().forEach(warning -> LOG.warn(Help.CONFIGURATION, "{}", warning));
        return new Daemon(configuration).run();
    }
}
