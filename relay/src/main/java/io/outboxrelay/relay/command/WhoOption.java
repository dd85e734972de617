package io.outboxrelay.relay.command;

import io.outboxrelay.relay.database.Failures.Note;
import java.net.InetAddress;
import java.net.UnknownHostException;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;

/** Who gave a command, for the audit. */
final class WhoOption {

    @Option(
            names = "--who",
            paramLabel = "NAME",
            description = "Who does this, for the audit. Default: user and host of the operating system.")
    private @Nullable String who;

    /** A note with a reason, which may be empty. */
    Note note(CommandLine command, String reason) {
        if (who != null && who.isBlank()) {
            throw new ParameterException(command, "--who must not be empty.");
        }
        return new Note(who == null ? userAndHost() : who.strip(), reason.strip());
    }

    /** A note with a reason that must be there. */
    Note noteWithReason(CommandLine command, String reason) {
        if (reason.isBlank()) {
            throw new ParameterException(command, "--reason must not be empty: it is all that later tells why.");
        }
        return note(command, reason);
    }

    private static String userAndHost() {
        String host;
        try {
            host = InetAddress.getLocalHost().getHostName();
        } catch (UnknownHostException e) {
            host = "unknown";
        }
        return System.getProperty("user.name", "unknown") + "@" + host;
    }
}
