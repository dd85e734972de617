package io.outboxrelay.testservers;

import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;
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
     * The kinds that tests run on: those that {@code -Doutbox.databases=mysql,mariadb} names, else all; without MySQL,
     * where no container engine runs and none is installed, and then it says so loudly.
     *
     * @return in the order of this enum
     * @throws IllegalArgumentException when the property names another
     */
    public static List<DatabaseKind> here() {
        Set<DatabaseKind> kinds = named(System.getProperty(PROPERTY, ""));
        if (!kinds.isEmpty()) {
            return List.copyOf(kinds);
        }
        try {
            Servers.mySql();
            return List.of(values());
        } catch (IllegalStateException e) {
            LOG.error("*** CANNOT RUN: nothing is tested on MySQL. {} ***", e.getMessage());
            return List.of(POSTGRESQL, MARIADB);
        }
    }

    private static Set<DatabaseKind> named(String list) {
        Set<DatabaseKind> kinds = EnumSet.noneOf(DatabaseKind.class);
        for (String word : list.strip().split("\\s*,\\s*")) {
            if (!word.isEmpty()) {
                kinds.add(Stream.of(values())
                        .filter(kind -> kind.name().equalsIgnoreCase(word))
                        .findFirst()
                        .orElseThrow(() -> new IllegalArgumentException(
                                "-D%s is '%s'; it may have postgresql, mariadb and mysql, with commas between them"
                                        .formatted(PROPERTY, list))));
            }
        }
        return kinds;
    }

    /**
     * For stories and other tests that take long and run the same code of the relay on each: PostgreSQL, in the full
     * loop MariaDB too, and MySQL only where {@code -Doutbox.databases} names it.
     *
     * @return in the order of this enum
     */
    public static List<DatabaseKind> inLongTests() {
        Set<DatabaseKind> kinds = named(System.getProperty(PROPERTY, ""));
        if (!kinds.isEmpty()) {
            return List.copyOf(kinds);
        }
        return Loop.current() == Loop.FULL ? List.of(POSTGRESQL, MARIADB) : List.of(POSTGRESQL);
    }

    /**
     * For tests of code that is the same for all databases, while other tests cover the statements of each: PostgreSQL
     * in the usual loop, those of {@link #here} in the full one.
     *
     * @return in the order of this enum
     */
    public static List<DatabaseKind> hereInFull() {
        boolean named = !named(System.getProperty(PROPERTY, "")).isEmpty();
        return named || Loop.current() == Loop.FULL ? here() : List.of(POSTGRESQL);
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
     * Creates a prepared database on the server of this kind that the whole JVM shares. PostgreSQL copies one that was
     * prepared before under the same name; the others prepare each.
     *
     * @param name of the preparation
     * @param prepare fills a new database and leaves no session in it
     * @return the database; closing it drops it
     * @throws IllegalStateException when there is no server or it refuses
     */
    public TestDatabase newDatabase(String name, Consumer<TestDatabase> prepare) {
        if (this == POSTGRESQL) {
            return Servers.postgres().newDatabase(name, prepare);
        }
        TestDatabase made = newDatabase();
        prepare.accept(made);
        return made;
    }

    /**
     * Starts a server of this kind that only the caller has, so that it may be killed.
     *
     * @return the running server
     * @throws IllegalStateException when no kind of server could be started
     */
    public PrivateServer<?> startPrivate() {
        return switch (this) {
            case POSTGRESQL -> Servers.startPrivatePostgres();
            case MARIADB -> Servers.startPrivateMariaDb();
            case MYSQL -> Servers.startPrivateMySql();
        };
    }
}
