package io.outboxrelay.testservers;

import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;
import org.postgresql.util.PSQLState;

/** A running PostgreSQL server. Any thread may call it. */
public final class Postgres implements DatabaseServer {
    private final String name;
    private final ServerAddress address;
    private final boolean outlivesUs;
    private final Map<String, TestDatabase> prepared = new ConcurrentHashMap<>();

    /**
     * @param name what kind of server it is
     * @param address where it is
     * @param outlivesUs whether it keeps running after this JVM, so that our databases or hosts have to be removed
     */
    Postgres(String name, ServerAddress address, boolean outlivesUs) {
        this.name = name;
        this.address = address;
        this.outlivesUs = outlivesUs;
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public TestDatabase newDatabase() {
        return newDatabase("");
    }

    /**
     * Creates an empty database with an encoding and a unique name.
     *
     * @param encoding as PostgreSQL calls it; SQL_ASCII takes every byte but zero for a letter
     * @return the database; closing it drops it
     * @throws IllegalStateException when the server does not answer or refuses
     */
    public TestDatabase newDatabaseIn(String encoding) {
        return newDatabase(" ENCODING '" + encoding + "' LC_COLLATE 'C' LC_CTYPE 'C'");
    }

    /**
     * Creates a database by copying one that was prepared before, which takes less time than to prepare another.
     *
     * @param name of the preparation
     * @param prepare fills the database that is copied; called once for each name
     * @return the copy; closing it drops it
     * @throws IllegalStateException when the server does not answer or refuses
     */
    TestDatabase newDatabase(String name, Consumer<TestDatabase> prepare) {
        TestDatabase prepared = this.prepared.computeIfAbsent(name, once -> {
            TestDatabase made = newDatabase();
            prepare.accept(made);
            withoutSessions(made.name());
            return made;
        });
        return newDatabaseFrom(prepared.name(), "");
    }

    /**
     * A database can be copied only while nobody is connected to it: sessions that were closed take a moment to end.
     */
    private void withoutSessions(String database) {
        try {
            administer("ALTER DATABASE " + database + " ALLOW_CONNECTIONS false");
            administer("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '" + database + "'");
        } catch (SQLException e) {
            throw new IllegalStateException("%s did not close a database: %s".formatted(this, e.getMessage()), e);
        }
    }

    private TestDatabase newDatabase(String options) {
        return newDatabaseFrom("template0", options); // it accepts no sessions, which would make this fail
    }

    private TestDatabase newDatabaseFrom(String template, String options) {
        String database = "outbox_test_" + UUID.randomUUID().toString().replace("-", "");
        try {
            administer("CREATE DATABASE " + database + " TEMPLATE " + template + options);
        } catch (SQLException e) {
            throw new IllegalStateException("%s did not create a database: %s".formatted(this, e.getMessage()), e);
        }
        TestDatabase made = new TestDatabase(DatabaseKind.POSTGRESQL, this::drop, address, database);
        if (outlivesUs) {
            AtExit.close(made);
        }
        return made;
    }

    /** Drops a database if the server is there. */
    void drop(String database) {
        try {
            administer("DROP DATABASE IF EXISTS " + database + " WITH (FORCE)");
        } catch (SQLException e) {
            if (!PSQLState.isConnectionError(e.getSQLState())) {
                throw new IllegalStateException(
                        "%s did not drop the database %s: %s".formatted(this, database, e.getMessage()), e);
            }
        }
    }

    private void administer(String sql) throws SQLException {
        try (Connection connection = TestDatabase.impatient(address, "postgres").getConnection();
                Statement statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }

    @Override
    public String toString() {
        return "%s at %s:%d".formatted(name, address.host(), address.port());
    }
}
