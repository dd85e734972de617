package io.outboxrelay.client;

import java.util.regex.Pattern;

/** Names that came with a message, for logs and errors: whoever published it has chosen them. */
final class ForeignText {

    /** As long as an AMQP short string, which most of them are. */
    private static final int LONGEST = 255;

    /** Control and format characters, which could end a line, control a terminal or change the direction of writing. */
    private static final Pattern CONTROLS = Pattern.compile("[\\p{Cc}\\p{Cf}\\p{Zl}\\p{Zp}]");

    private ForeignText() {}

    /** The text as part of a line: a question mark for each control character, and cut if it is long. */
    static String printable(String text) {
        return printable(text, LONGEST);
    }

    /** The same, cut after so many characters. */
    static String printable(String text, int longest) {
        String some = text.length() <= longest ? text : text.substring(0, longest) + "…";
        return CONTROLS.matcher(some).replaceAll("?");
    }
}
