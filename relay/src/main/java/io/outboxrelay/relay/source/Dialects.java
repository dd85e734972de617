package io.outboxrelay.relay.source;

import io.outboxrelay.relay.database.Dialect;
import io.outboxrelay.relay.mariadb.MariaDbDialect;
import io.outboxrelay.relay.postgresql.PostgresDialect;
import java.util.Map;
import java.util.Optional;

/** Which databases the relay knows, by the beginning of their JDBC URLs. */
public final class Dialects {

    private static final Map<String, Dialect> BY_SCHEME = Map.of(
            "jdbc:postgresql:", new PostgresDialect(),
            "jdbc:mariadb:", new MariaDbDialect(false),
            "jdbc:mysql:", new MariaDbDialect(true));

    /** Names the beginnings of the URLs of all databases that the relay knows. */
    public static final String KNOWN = "jdbc:postgresql:, jdbc:mariadb: or jdbc:mysql:";

    private Dialects() {}

    /**
     * Finds the dialect of a database.
     *
     * @param url JDBC URL
     * @return its dialect; empty when the relay does not know this kind of database
     */
    public static Optional<Dialect> of(String url) {
        return BY_SCHEME.entrySet().stream()
                .filter(dialect -> url.startsWith(dialect.getKey()))
                .map(Map.Entry::getValue)
                .findFirst();
    }
}
