package io.outboxrelay.relay.command;

import io.outboxrelay.relay.database.Failures.State;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** Reads the state of a failure, as it is shown. */
final class StateConverter implements ITypeConverter<State> {

    @Override
    public State convert(String text) {
        return Stream.of(State.values())
                .filter(state -> state.toString().equalsIgnoreCase(text))
                .findFirst()
                .orElseThrow(() -> new TypeConversionException("'%s' is no state of a failure. There are: %s."
                        .formatted(
                                Words.plain(text),
                                Stream.of(State.values()).map(State::toString).collect(Collectors.joining(", ")))));
    }
}
