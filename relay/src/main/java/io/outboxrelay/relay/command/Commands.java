package io.outboxrelay.relay.command;

import io.outboxrelay.relay.configuration.ConfigurationReader;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Option;

/** All commands except the one that runs a relay, and the options that it shares with them. */
public final class Commands {

    private Commands() {}

    /**
     * Adds the commands to the program.
     *
     * @param program to be completed
     * @param environment where the configuration and its secrets may be
     * @return the same program
     */
    public static CommandLine addTo(CommandLine program, Map<String, String> environment) {
        return program.addSubcommand(new MigrateCommand(environment))
                .addSubcommand(new CheckConfigCommand(environment))
                .addSubcommand(new StatusCommand(environment))
                .addSubcommand(new ExplainCommand(environment))
                .addSubcommand(FailuresCommand.commandLine(environment, FailureSide.RELAY))
                .addSubcommand(InboxCommand.commandLine(environment))
                .addSubcommand(new PauseCommand(environment))
                .addSubcommand(new PauseCommand.ResumeCommand(environment))
                .addSubcommand(new ReplayCommand(environment))
                .addSubcommand(new SubscribeCommand(environment))
                .addSubcommand(new AuditCommand(environment))
                .addSubcommand(new HealthCommand(environment));
    }

    /** Where the configuration comes from. Every command has these options. */
    public static final class ConfigurationOptions {

        @Option(
                names = "--config",
                paramLabel = "FILE",
                description = "YAML file. Default: the file named by OUTBOX_RELAY_CONFIG; without that, only"
                        + " environment and options are used.")
        private @Nullable Path config;

        @Option(
                names = "--set",
                paramLabel = "KEY=VALUE",
                description = "Sets one key, overriding environment and file; may be repeated. Do not pass"
                        + " secrets: other users of this machine can see them.")
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

        /** {@return the configuration that was given, not read yet} */
        public ConfigurationReader reader() {
            return new ConfigurationReader(config, assignments, environment);
        }
    }
}
