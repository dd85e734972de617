package io.outboxrelay.relay.command;

import io.outboxrelay.relay.lane.Reason;
import java.util.List;
import java.util.stream.Stream;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** Reads why an event failed. A word that no event can have would find nothing, and look as if all were well. */
final class ReasonConverter implements ITypeConverter<String> {

    private static final List<String> WORDS =
            Stream.of(Reason.values()).map(Reason::word).toList();

    @Override
    public String convert(String text) {
        if (!WORDS.contains(text)) {
            throw new TypeConversionException("'%s' is no reason for a failure. There are: %s."
                    .formatted(Words.plain(text), String.join(", ", WORDS)));
        }
        return text;
    }
}
