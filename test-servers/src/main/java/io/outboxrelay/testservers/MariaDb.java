package io.outboxrelay.testservers;

import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.SQLNonTransientConnectionException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;

/** A running MariaDB or MySQL server that ends with this JVM at the latest. Any thread may call it. */
public final class MariaDb implements DatabaseServer {
    /** MySQL's names of roles have at most 32 characters, and those of the outbox begin with the database's. */
    private static final int SHORT_NAME = 10;

    private final DatabaseKind kind;
    private final String name;
    private final ServerAddress address;

    MariaDb(DatabaseKind kind, String name, ServerAddress address) {
        this.kind = kind;
        this.name = name;
        this.address = address;
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public TestDatabase newDatabase() {
        String unique = UUID.randomUUID().toString().replace("-", "");
        String database =
                kind == DatabaseKind.MYSQL ? "t" + unique.substring(0, SHORT_NAME - 1) : "outbox_test_" + unique;
        try {
            administer("CREATE DATABASE " + database);
        } catch (SQLException e) {
            throw new IllegalStateException("%s did not create a database: %s".formatted(this, e.getMessage()), e);
        }
        return new TestDatabase(kind, this::drop, address, database);
    }

    /**
     * Drops a database and ends the sessions in it, if the server is there: an open transaction would be waited for.
     */
    void drop(String database) {
        try (Connection connection = TestDatabase.impatient(kind, address).getConnection();
                Statement statement = connection.createStatement()) {
            for (String session :
                    column(statement, "SELECT id FROM information_schema.processlist WHERE db = '" + database + "'")) {
                try {
                    statement.execute("KILL " + session);
                } catch (SQLException e) {
                    // it has already ended
                }
            }
            statement.execute("DROP DATABASE IF EXISTS " + database);
        } catch (SQLNonTransientConnectionException e) {
            // the server is down
        } catch (SQLException e) {
            throw new IllegalStateException(
                    "%s did not drop the database %s: %s".formatted(this, database, e.getMessage()), e);
        }
    }

    private static List<String> column(Statement statement, String sql) throws SQLException {
        List<String> values = new ArrayList<>();
        try (ResultSet rows = statement.executeQuery(sql)) {
            while (rows.next()) {
                values.add(rows.getString(1));
            }
        }
        return values;
    }

    private void administer(String sql) throws SQLException {
        try (Connection connection = TestDatabase.impatient(kind, address).getConnection();
                Statement statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }

    @Override
    public String toString() {
        return "%s at %s:%d".formatted(name, address.host(), address.port());
    }
}
