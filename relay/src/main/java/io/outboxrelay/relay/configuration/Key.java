package io.outboxrelay.relay.configuration;

import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * One key of the configuration.
 *
 * @param path in the file; {@code []} stands for the number of a database in its list
 * @param kind which values it accepts
 * @param standard the default value; null for none
 * @param required whether it must be set
 * @param secrecy how much of the value may be shown
 * @param meaning what it does, for the table of keys
 */
record Key<T>(String path, Kind<T> kind, @Nullable String standard, boolean required, Secrecy secrecy, String meaning) {

    static <T> Key<T> of(String path, Kind<T> kind, String standard, String meaning) {
        return new Key<>(path, kind, standard, false, Secrecy.OPEN, meaning);
    }

    static <T> Key<T> required(String path, Kind<T> kind, String meaning) {
        return new Key<>(path, kind, null, true, Secrecy.OPEN, meaning);
    }

    static <T> Key<T> optional(String path, Kind<T> kind, String meaning) {
        return new Key<>(path, kind, null, false, Secrecy.OPEN, meaning);
    }

    Key<T> hidden(Secrecy how) {
        return new Key<>(path, kind, standard, required, how, meaning);
    }

    /** {@return the list of databases that it belongs to; null if it belongs to none} */
    @Nullable
    DatabaseList list() {
        return DatabaseList.of(path).orElse(null);
    }

    /** The path within a database of a list: {@code pool-size}. */
    String name() {
        return path.substring(path.indexOf("[].") + 3);
    }

    String path(int number) {
        return path.replace("[]", "[" + number + "]");
    }

    /** As part of the name of an environment variable. */
    static String variable(String path) {
        return path.replaceAll("\\[(\\d*)]", ".$1")
                .replace('.', '_')
                .replace('-', '_')
                .toUpperCase(Locale.ROOT);
    }

    /** How much of a value may be shown. */
    enum Secrecy {
        /** All of it. */
        OPEN,
        /** None of it. */
        SECRET,
        /** A URL: all except what may be a password. */
        URL;

        static final String MASK = "***";

        String mask(String value) {
            return switch (this) {
                case OPEN -> value;
                case SECRET -> value.isEmpty() ? "" : MASK;
                case URL ->
                    value.replaceFirst("(?s)^([A-Za-z][\\w+.-]*:(?://)?)?.*@", "$1" + MASK + "@")
                            .replaceAll("(?i)(\\w*(?:password|secret|token)\\w*=)[^&]*", "$1" + MASK);
            };
        }
    }
}
