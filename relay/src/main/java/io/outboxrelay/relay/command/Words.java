package io.outboxrelay.relay.command;

import io.outboxrelay.relay.configuration.Durations;
import io.outboxrelay.relay.lane.Count;
import io.outboxrelay.relay.lane.FailurePolicy.State;
import io.outboxrelay.relay.lane.Outcome.Reason;
import io.outboxrelay.relay.operations.Printable;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.function.UnaryOperator;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** Formats values for people, and parses what people type. */
final class Words {

    private static final int MOST_OF_ONE_UNIT = 2;

    /** What no shell interprets, and no command takes for an option. */
    private static final Pattern PLAIN_ARGUMENT = Pattern.compile("[A-Za-z0-9_./:@%+,][A-Za-z0-9_./:@%+,=-]*");

    private Words() {}

    /** Text of services and brokers, without control characters. */
    static String plain(String text) {
        return Printable.line(text);
    }

    /**
     * Text of services as one argument of a command in a POSIX shell, without control characters. Plain words stay as
     * they are.
     */
    static String quoted(String text) {
        String plain = plain(text);
        return PLAIN_ARGUMENT.matcher(plain).matches() ? plain : "'" + plain.replace("'", "'\\''") + "'";
    }

    /** A number with its noun: 1 event, 12,345 events. */
    static String count(long number, String noun) {
        return Count.of(number, noun);
    }

    static String number(long number) {
        return String.format(Locale.ROOT, "%,d", number);
    }

    /** The time to the second. */
    static String time(Instant time) {
        return time.truncatedTo(ChronoUnit.SECONDS).toString();
    }

    /** A duration in its largest useful unit: two hours or more in hours, two days or more in days. */
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

    /** A table whose columns are as wide as their widest cell. */
    static final class Table {

        private final List<List<String>> rows = new ArrayList<>();

        Table(String... headings) {
            rows.add(List.of(headings));
        }

        void row(String... cells) {
            rows.add(List.of(cells));
        }

        @Override
        public String toString() {
            StringBuilder text = new StringBuilder();
            for (List<String> row : rows) {
                StringBuilder line = new StringBuilder();
                for (int column = 0; column < row.size(); column++) {
                    String cell = row.get(column);
                    line.append(cell).append(" ".repeat(width(column) - cell.length() + 2));
                }
                text.append(line.toString().stripTrailing()).append('\n');
            }
            return text.toString();
        }

        private int width(int column) {
            return rows.stream().mapToInt(row -> row.get(column).length()).max().orElse(0);
        }
    }

    /** Parses an age, in the configuration's syntax for durations. */
    static final class AgeConverter implements ITypeConverter<Duration> {

        /** No event is older, and every database can subtract it from now. */
        private static final Duration LONGEST = Duration.ofDays(36_500);

        @Override
        public Duration convert(String text) {
            Duration age = Durations.parse(text)
                    .orElseThrow(() ->
                            new TypeConversionException("'%s' is not %s.".formatted(plain(text), Durations.EXAMPLES)));
            if (age.isNegative() || age.compareTo(LONGEST) > 0) {
                throw new TypeConversionException(
                        "'%s' is not an age: it must be from 0s to %dd.".formatted(plain(text), LONGEST.toDays()));
            }
            return age;
        }
    }

    /** Parses a time; a date means its start in UTC. */
    static final class TimeConverter implements ITypeConverter<Instant> {

        @Override
        public Instant convert(String text) {
            try {
                return text.contains("T")
                        ? OffsetDateTime.parse(text).toInstant()
                        : LocalDate.parse(text).atStartOfDay(ZoneOffset.UTC).toInstant();
            } catch (DateTimeException e) {
                throw new TypeConversionException(
                        "'%s' is not a time such as 2026-01-31, 2026-01-31T12:00:00Z or 2026-01-31T12:00:00+01:00."
                                .formatted(plain(text)));
            }
        }
    }

    /** Parses a time, or an age such as {@code 2h}, which is subtracted from the time of the database. */
    static final class SinceConverter implements ITypeConverter<UnaryOperator<Instant>> {

        @Override
        public UnaryOperator<Instant> convert(String text) {
            Optional<Duration> age = Durations.parse(text);
            if (age.isPresent()) {
                Duration checked = new AgeConverter().convert(text);
                return now -> now.minus(checked);
            }
            Instant time = new TimeConverter().convert(text);
            return now -> time;
        }
    }

    /** Parses the id of an event. Java itself would also accept one with digits missing. */
    static final class EventIdConverter implements ITypeConverter<UUID> {

        private static final Pattern UUID_TEXT = Pattern.compile("\\p{XDigit}{8}(-\\p{XDigit}{4}){3}-\\p{XDigit}{12}");

        @Override
        public UUID convert(String text) {
            if (!UUID_TEXT.matcher(text).matches()) {
                throw new TypeConversionException(
                        "'%s' is not the id of an event, which looks like 123e4567-e89b-12d3-a456-426614174000."
                                .formatted(plain(text)));
            }
            return UUID.fromString(text);
        }

        /** Parses any number of ids. For a malformed one picocli itself would only report an unmatched argument. */
        static List<UUID> all(List<String> texts, Console console) {
            try {
                EventIdConverter converter = new EventIdConverter();
                return texts.stream().map(converter::convert).distinct().toList();
            } catch (TypeConversionException e) {
                throw console.wrongUse(String.valueOf(e.getMessage()));
            }
        }
    }

    /**
     * Parses states of failures.
     *
     * @param texts as people type them
     * @param what they are, for the message about another text
     * @param possible the states that are accepted
     */
    static Set<State> states(List<String> texts, String what, Set<State> possible, Console console) {
        List<State> known = Stream.of(State.values()).filter(possible::contains).toList();
        Set<State> states = EnumSet.noneOf(State.class);
        for (String text : texts) {
            states.add(known.stream()
                    .filter(state -> state.toString().equalsIgnoreCase(text))
                    .findFirst()
                    .orElseThrow(() -> console.wrongUse("'%s' is not %s. Possible: %s."
                            .formatted(
                                    plain(text),
                                    what,
                                    known.stream().map(State::toString).collect(Collectors.joining(", "))))));
        }
        return states;
    }

    /** Parses the reason of a failure. An unknown word would match nothing, and look as if all were well. */
    static final class ReasonConverter implements ITypeConverter<String> {

        private static final List<String> WORDS =
                Stream.of(Reason.values()).map(Reason::word).toList();

        @Override
        public String convert(String text) {
            if (!WORDS.contains(text)) {
                throw new TypeConversionException("'%s' is not a reason of a failure. Possible: %s."
                        .formatted(plain(text), String.join(", ", WORDS)));
            }
            return text;
        }
    }
}
