package io.outboxrelay.relay.command;

import java.util.UUID;
import java.util.regex.Pattern;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** Reads the id of an event. Java itself would also take one with digits missing. */
final class EventIdConverter implements ITypeConverter<UUID> {

    private static final Pattern UUID_TEXT = Pattern.compile("\\p{XDigit}{8}(-\\p{XDigit}{4}){3}-\\p{XDigit}{12}");

    @Override
    public UUID convert(String text) {
        if (!UUID_TEXT.matcher(text).matches()) {
            throw new TypeConversionException(
                    "'%s' is not the id of an event, which looks like 123e4567-e89b-12d3-a456-426614174000."
                            .formatted(Words.plain(text)));
        }
        return UUID.fromString(text);
    }
}
