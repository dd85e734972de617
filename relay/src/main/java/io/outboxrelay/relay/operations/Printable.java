package io.outboxrelay.relay.operations;

import java.util.regex.Pattern;

/**
 * Makes foreign text safe for a log and a terminal: services, brokers and registries choose names that the relay
 * prints. Such a text must not start a line of its own, control a terminal, or change the direction of writing.
 */
public final class Printable {

    private static final String INSTEAD = "?";

    /**
     * Control characters other than line breaks and tabs: C0, DEL and C1, direction marks and overrides, line and
     * paragraph separators. As characters, not as escapes, because a log pattern takes no backslash.
     */
    static final String CONTROLS =
            "[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]";

    private static final String BREAKS = "[\n\r\t]";
    private static final Pattern IN_LINES = Pattern.compile(CONTROLS + "|\r");
    private static final Pattern IN_A_LINE = Pattern.compile(CONTROLS + "|" + BREAKS);

    /** The log pattern of a message. */
    static final String MESSAGE = "%%replace(%%replace(%%msg){'%s','?'}){'%s',' '}".formatted(CONTROLS, BREAKS);

    /** The log pattern of an exception: only its own first line may start at the margin. */
    static final String EXCEPTION =
            "%%replace(%%replace(%%ex){'%s','?'}){'\r|\n(?=[^\t\n])','\n\t'}".formatted(CONTROLS);

    private Printable() {}

    /**
     * Makes a text safe as part of a line.
     *
     * @param text of any origin
     * @return the text, with a question mark for each control character
     */
    public static String line(String text) {
        return IN_A_LINE.matcher(text).replaceAll(INSTEAD);
    }

    /**
     * Makes a text of several lines safe.
     *
     * @param text of any origin
     * @return the text, with a question mark for each control character except line breaks and tabs
     */
    public static String lines(String text) {
        return IN_LINES.matcher(text).replaceAll(INSTEAD);
    }
}
