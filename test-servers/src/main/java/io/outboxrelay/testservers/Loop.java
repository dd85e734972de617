package io.outboxrelay.testservers;

import java.util.Arrays;
import java.util.Locale;

/** How much is tested, from {@code -Doutbox.loop=quick|usual|full}, which the build passes on. */
enum Loop {
    /** What needs no server; a test that asks for one all the same fails. */
    QUICK,
    /** Real servers; stories on PostgreSQL alone. */
    USUAL,
    /** Everything, stories on MariaDB as well. */
    FULL;

    private static final String PROPERTY = "outbox.loop";

    /** The loop that runs; {@link #FULL} by default, as in an IDE. */
    static Loop current() {
        String value = System.getProperty(PROPERTY, "full");
        return Arrays.stream(values())
                .filter(loop -> loop.name().toLowerCase(Locale.ROOT).equals(value))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException(
                        "-D%s is '%s'; it must be quick, usual or full".formatted(PROPERTY, value)));
    }

    /**
     * Checks whether a test may use a server.
     *
     * @throws IllegalStateException in the quick loop
     */
    static void requireServers() {
        if (current() == QUICK) {
            throw new IllegalStateException(
                    "NO SERVER in the quick loop: a test class that needs one carries @Tag(\"server\")");
        }
    }
}
