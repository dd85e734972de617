package io.outboxrelay.relay.command;

import io.outboxrelay.relay.configuration.ConfigurationReader;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** The options that every command understands: where the configuration comes from. */
public final class ConfigurationOptions {

    @Option(
            names = "--config",
            paramLabel = "FILE",
            description =
                    "YAML file. Default: the one that OUTBOX_RELAY_CONFIG names; without either, the environment alone.")
    private @Nullable Path config;

    @Option(
            names = "--set",
            paramLabel = "KEY=VALUE",
            description =
                    "Sets one key, over environment and file; may be repeated. Not for secrets: other users see them.")
    private final List<String> assignments = new ArrayList<>();

    private final Map<String, String> environment;

    /**
     * Options of one command.
     *
     * @param environment the process's variables
     */
    public ConfigurationOptions(Map<String, String> environment) {
        this.environment = environment;
    }

    /** {@return the configuration that was given, still to be read} */
    public ConfigurationReader reader() {
        return new ConfigurationReader(config, assignments, environment);
    }
}
