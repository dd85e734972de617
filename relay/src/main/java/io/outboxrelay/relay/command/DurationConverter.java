package io.outboxrelay.relay.command;

import io.outboxrelay.relay.configuration.Durations;
import java.time.Duration;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** Reads an age, written as durations are in the configuration. */
final class DurationConverter implements ITypeConverter<Duration> {

    /** No event is older, and every database can subtract it from now. */
    private static final Duration LONGEST = Duration.ofDays(36_500);

    @Override
    public Duration convert(String text) {
        Duration age = Durations.parse(text)
                .orElseThrow(() -> new TypeConversionException(
                        "'%s' is not %s.".formatted(Words.plain(text), Durations.EXAMPLES)));
        if (age.isNegative() || age.compareTo(LONGEST) > 0) {
            throw new TypeConversionException(
                    "'%s' is not an age: it must be from 0s to %dd.".formatted(Words.plain(text), LONGEST.toDays()));
        }
        return age;
    }
}
