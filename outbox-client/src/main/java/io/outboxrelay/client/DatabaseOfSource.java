package io.outboxrelay.client;

import java.sql.Connection;
import java.sql.SQLException;
import org.jspecify.annotations.Nullable;

/**
 * Finds out once, at the first connection, what kind of database a data source leads to. Safe for use by many threads.
 */
final class DatabaseOfSource {

    private final String table;
    private final String schema;
    private volatile @Nullable Database found;

    /** For statements on one table, {@code outbox} or {@code inbox}. */
    DatabaseOfSource(String table, String schema) {
        this.table = table;
        this.schema = CallersTransaction.requireIdentifier(schema);
    }

    Database of(Connection connection) throws SQLException {
        Database database = found;
        if (database == null) {
            database = Database.of(connection, schema);
            found = database;
        }
        return database;
    }

    /**
     * Runs a statement on the table.
     *
     * @throws MissingTableException if the statement fails because the table is missing
     */
    <T> T run(Connection connection, Statement<T> statement) throws SQLException {
        Database database = of(connection);
        try {
            return statement.run(database);
        } catch (SQLException e) {
            if (MissingTableException.isMeantBy(e, table, schema)) {
                throw MissingTableException.of(table, schema, connection, e);
            }
            throw e;
        }
    }

    /**
     * Looks for the table, by the driver's metadata.
     *
     * @throws MissingTableException if it is not there
     */
    void requireTable(Connection connection) throws SQLException {
        if (!of(connection).has(connection, table)) {
            throw MissingTableException.of(table, schema, connection, null);
        }
    }

    /** A statement in the SQL of the database. */
    @FunctionalInterface
    interface Statement<T> {

        T run(Database database) throws SQLException;
    }
}
