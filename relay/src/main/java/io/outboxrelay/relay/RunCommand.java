package io.outboxrelay.relay;

import io.outboxrelay.relay.command.ConfigurationOptions;
import io.outboxrelay.relay.configuration.Configuration;
import io.outboxrelay.relay.configuration.ConfigurationReader;
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
        description =
                "Relays the events of all configured sources until it is told to stop (SIGTERM, Ctrl-C), then drains.",
        footer = {
            "",
            "Exit status: 0 stopped after SIGTERM, 1 failed or did not stop soon after the grace period, 2 wrong use or configuration."
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
        reader.warnings().forEach(warning -> LOG.warn("{}", warning));
        return new Daemon(configuration).run();
    }
}
