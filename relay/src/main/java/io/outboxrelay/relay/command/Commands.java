package io.outboxrelay.relay.command;

import java.util.Map;
import picocli.CommandLine;

/** All commands but the one that runs a relay. */
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
                .addSubcommand(FailuresCommand.commandLine(environment))
                .addSubcommand(new PauseCommand(environment))
                .addSubcommand(new PauseCommand.ResumeCommand(environment))
                .addSubcommand(new ReplayCommand(environment))
                .addSubcommand(new HealthCommand(environment));
    }
}
