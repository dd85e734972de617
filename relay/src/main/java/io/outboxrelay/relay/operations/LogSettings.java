package io.outboxrelay.relay.operations;

/**
 * What is logged, and how it looks.
 *
 * @param format lines for people or JSON for machines
 * @param level the least severe level of the relay's own messages; those of its libraries are logged from WARN on
 */
public record LogSettings(Format format, Level level) {

    /** How one message looks. */
    public enum Format {
        /** Time, level and message. */
        TEXT,
        /** One JSON object a line. */
        JSON
    }

    /** From the most to the least said. */
    public enum Level {
        TRACE,
        DEBUG,
        INFO,
        WARN,
        ERROR
    }
}
