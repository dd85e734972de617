package io.outboxrelay.relay.operations;

import java.util.regex.Pattern;

/**
 * Makes text that others wrote fit for a log and a terminal: services, brokers and registries choose the names that the relay
 * prints. Nothing of such a text may begin a line of its own, command a terminal, or turn the direction of writing.
 */
public final class Printable {

    private static final String INSTEAD = "?";

    /**
     * Controls other than the breaks of lines and tabs: C0, DEL and C1, marks and overrides of direction, line and paragraph
     * separators. Written as characters, not as escapes: a pattern of the log takes no backslash.
     */
    static final String CONTROLS =
            "[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]";

    private static final String BREAKS = "[\n\r\t]";
    private static final Pattern IN_LINES = Pattern.compile(CONTROLS + "|\r");
    private static final Pattern IN_A_LINE = Pattern.compile(CONTROLS + "|" + BREAKS);

    /** How the log writes a message, in the words of its patterns. */
    static final String MESSAGE = "%%replace(%%replace(%%msg){'%s','?'}){'%s',' '}".formatted(CONTROLS, BREAKS);

    /** How the log writes an exception: only its own first line may begin at the margin. */
    static final String EXCEPTION =
            "%%replace(%%replace(%%ex){'%s','?'}){'\r|\n(?=[^\t\n])','\n\t'}".formatted(CONTROLS);

    private Printable() {}

    /**
     * Makes a text fit to be part of a line.
     *
     * @param text of whatever origin
     * @return it, with a question mark in place of each control character
     */
    public static String line(String text) {
        return IN_A_LINE.matcher(text).replaceAll(INSTEAD);
    }

    /**
     * Makes a text fit that may have several lines.
     *
     * @param text of whatever origin
     * @return it, with a question mark in place of each control character but breaks of lines and tabs
     */
    public static String lines(String text) {
        return IN_LINES.matcher(text).replaceAll(INSTEAD);
    }
}
