package io.outboxrelay.relay.configuration;

/** How much of a value may be shown. */
enum Secrecy {
    /** All of it. */
    OPEN,
    /** Nothing of it. */
    SECRET,
    /** A URL: all but what may hold a password. */
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
