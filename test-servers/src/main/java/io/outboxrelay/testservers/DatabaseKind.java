package io.outboxrelay.testservers;

import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The kinds of databases that tests run on: a test class with this as its parameter runs on each. */
public enum DatabaseKind {
    POSTGRESQL("jdbc:postgresql:"),
    MARIADB("jdbc:mariadb:"),
    MYSQL("jdbc:mysql:");

    private static final Logger LOG = LoggerFactory.getLogger(DatabaseKind.class);

    private static final String PROPERTY = "outbox.databases";

    private final String scheme;

    DatabaseKind(String scheme) {
        this.scheme = scheme;
    }

    /**
     * The kinds that tests run on: those that can be had here, which is all where a container engine runs or MySQL is installed,
     * or of these the ones that {@code -Doutbox.databases=mysql,mariadb} names. It says loudly what cannot be had.
     *
     * @return in the order of this enum
     * @throws IllegalArgumentException when the property names another
     */
    public static List<DatabaseKind> here() {
        String property = System.getProperty(PROPERTY, "").toUpperCase(Locale.ROOT);
        Set<DatabaseKind> kinds = EnumSet.allOf(DatabaseKind.class);
        if (!property.isBlank()) {
            kinds.retainAll(
                    Stream.of(property.split(",")).map(DatabaseKind::valueOf).toList());
        }
        if (kinds.contains(MYSQL)) {
            try {
                Servers.requireMySql();
            } catch (IllegalStateException e) {
                LOG.error("*** CANNOT RUN: nothing is tested on MySQL. {} ***", e.getMessage());
                kinds.remove(MYSQL);
            }
        }
        return List.copyOf(kinds);
    }

    /**
     * For tests that take long: those of {@link #here}, and MySQL only where {@code -Doutbox.databases} names it.
     *
     * @return in the order of this enum
     */
    public static List<DatabaseKind> briefly() {
        boolean named = !System.getProperty(PROPERTY, "").isBlank();
        return named ? here() : List.of(POSTGRESQL, MARIADB);
    }

    /**
     * Those of {@link #here} that are MariaDB or MySQL.
     *
     * @return without PostgreSQL
     */
    public static List<DatabaseKind> innoDbHere() {
        return here().stream().filter(DatabaseKind::isInnoDb).toList();
    }

    /**
     * The beginning of its JDBC URLs.
     *
     * @return with the colon
     */
    public String scheme() {
        return scheme;
    }

    /**
     * Whether it is MariaDB or MySQL, which have much of their SQL in common.
     *
     * @return false for PostgreSQL
     */
    public boolean isInnoDb() {
        return this != POSTGRESQL;
    }

    /**
     * Creates an empty database on the server of this kind that the whole JVM shares.
     *
     * @return the database; closing it drops it
     * @throws IllegalStateException when there is no server or it refuses
     */
    public TestDatabase newDatabase() {
        return switch (this) {
            case POSTGRESQL -> Servers.postgres().newDatabase();
            case MARIADB -> Servers.mariaDb().newDatabase();
            case MYSQL -> Servers.mySql().newDatabase();
        };
    }

    /**
     * Starts a server of this kind that only the caller has, so that it may be killed.
     *
     * @return the running server
     * @throws IllegalStateException when no kind of server could be started
     */
    public PrivateDatabase startPrivate() {
        return switch (this) {
            case POSTGRESQL -> Servers.startPrivatePostgres();
            case MARIADB -> Servers.startPrivateMariaDb();
            case MYSQL -> Servers.startPrivateMySql();
        };
    }
}
