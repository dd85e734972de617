package io.outboxrelay.relay.configuration;

import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/** The lists of databases in the configuration: each key of a list has a value for each of its databases. */
enum DatabaseList {
    /** Databases whose outboxes are relayed. */
    SOURCES("source"),
    /** Databases with an inbox that are no sources: only commands use them. */
    INBOXES("inbox");

    private static final String NAMES =
            Arrays.stream(values()).map(DatabaseList::many).collect(Collectors.joining("|"));

    /** The place of a value: the list, the number of the database, and the key within it. */
    private static final Pattern PLACE = Pattern.compile("(%s)\\[(\\d{1,9})](\\..+)?".formatted(NAMES));

    private final String one;

    DatabaseList(String one) {
        this.one = one;
    }

    /** {@return the list of this name: {@code sources}} */
    static Optional<DatabaseList> named(String many) {
        return Arrays.stream(values()).filter(list -> list.many().equals(many)).findFirst();
    }

    /** {@return the list that a path begins with: {@code sources[0].url}, {@code sources[].url}} */
    static Optional<DatabaseList> of(String path) {
        return Arrays.stream(values())
                .filter(list -> path.startsWith(list.many() + "["))
                .findFirst();
    }

    /** {@return the path of the key for a path with a number: {@code sources[].url} for {@code sources[0].url}} */
    static String general(String path) {
        Matcher place = PLACE.matcher(path);
        return place.matches() ? place.group(1) + "[]" + (place.group(3) == null ? "" : place.group(3)) : path;
    }

    /** {@return the number in a path of this list; empty if it belongs to another, or to none} */
    Optional<Integer> number(String path) {
        Matcher place = PLACE.matcher(path);
        return place.matches() && place.group(1).equals(many())
                ? Optional.of(Integer.parseInt(place.group(2)))
                : Optional.empty();
    }

    /** {@return the path of one of its databases: {@code sources[0]}} */
    String path(int number) {
        return many() + "[" + number + "]";
    }

    /** {@return its name in the file: {@code sources}} */
    String many() {
        return name().toLowerCase(Locale.ROOT);
    }

    /** {@return what one of its databases is called: {@code source}} */
    String one() {
        return one;
    }

    /** {@return the beginning of its environment variables: {@code SOURCES_}} */
    String variable() {
        return name() + "_";
    }

    /** {@return the key of the names of its databases} */
    Key<String> nameKey() {
        return this == SOURCES ? Keys.SOURCE_NAME : Keys.INBOX_NAME;
    }

    /** {@return the key of their URLs, which makes a database} */
    Key<String> urlKey() {
        return this == SOURCES ? Keys.SOURCE_URL : Keys.INBOX_URL;
    }

    /** {@return the key of their schemas} */
    Key<String> schemaKey() {
        return this == SOURCES ? Keys.SOURCE_SCHEMA : Keys.INBOX_SCHEMA;
    }
}
