package io.outboxrelay.relay.configuration;

import java.time.Duration;
import java.time.format.DateTimeParseException;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The syntax of durations, in the configuration and on the command line. */
public final class Durations {

    /** Completes a sentence that says what a text should have been. */
    public static final String EXAMPLES = "a duration such as 500ms, 10s, 2m, 1h, 7d or PT1M30S";

    private static final Pattern NUMBER_AND_UNIT = Pattern.compile("(\\d{1,9})(ms|s|m|h|d)");

    private Durations() {}

    /**
     * Parses a duration: a whole number with its unit, or ISO 8601.
     *
     * @param text as it was written
     * @return the duration, which ISO 8601 allows to be negative; empty if the text is not a duration
     */
    public static Optional<Duration> parse(String text) {
        Matcher matcher = NUMBER_AND_UNIT.matcher(text);
        if (matcher.matches()) {
            long number = Long.parseLong(matcher.group(1));
            return Optional.of(
                    switch (matcher.group(2)) {
                        case "ms" -> Duration.ofMillis(number);
                        case "s" -> Duration.ofSeconds(number);
                        case "m" -> Duration.ofMinutes(number);
                        case "d" -> Duration.ofDays(number);
                        default -> Duration.ofHours(number);
                    });
        }
        try {
            return Optional.of(Duration.parse(text));
        } catch (DateTimeParseException | ArithmeticException e) {
            return Optional.empty();
        }
    }
}
