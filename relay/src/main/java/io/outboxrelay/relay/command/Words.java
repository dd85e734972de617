package io.outboxrelay.relay.command;

import io.outboxrelay.relay.operations.Printable;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Locale;
import picocli.CommandLine;

/** How numbers, times and foreign text are said to a person. */
final class Words {

    private static final int MOST_OF_ONE_UNIT = 2;

    private Words() {}

    /** Text of services and brokers, without what could command a terminal. */
    static String plain(String text) {
        return Printable.line(text);
    }

    /** Says on standard error what works and should not stay as it is. */
    static void warn(CommandLine command, String warning) {
        command.getErr().println("Warning: " + Printable.lines(warning));
        command.getErr().flush();
    }

    /** 12,345 or one with its noun: 1 event, 2 events. */
    static String count(long number, String noun) {
        return String.format(Locale.ROOT, "%,d %s%s", number, noun, number == 1 ? "" : "s");
    }

    static String number(long number) {
        return String.format(Locale.ROOT, "%,d", number);
    }

    /** The time to the second. */
    static String time(Instant time) {
        return time.truncatedTo(ChronoUnit.SECONDS).toString();
    }

    /** A length of time in its largest useful unit: two hours and more in hours, two days and more in days. */
    static String duration(Duration duration) {
        if (duration.toDays() >= MOST_OF_ONE_UNIT) {
            return duration.toDays() + " d";
        }
        if (duration.toHours() >= MOST_OF_ONE_UNIT) {
            return duration.toHours() + " h";
        }
        if (duration.toMinutes() >= MOST_OF_ONE_UNIT) {
            return duration.toMinutes() + " min";
        }
        return Math.max(0, duration.toSeconds()) + " s";
    }
}
