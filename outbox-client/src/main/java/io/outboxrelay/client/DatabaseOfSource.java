package io.outboxrelay.client;

import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Finds out once, at the first connection, what kind of database a data source leads to. Safe for use by many threads.
 */
final class DatabaseOfSource {

    private final List<String> tables;
    private final String schema;
    private volatile @Nullable Database found;

    /** For statements on these tables. */
    DatabaseOfSource(List<String> tables, String schema) {
        this.tables = tables;
        this.schema = CallersTransaction.requireIdentifier(schema);
    }

    /** For statements on these tables of a database that need not be found out. */
    DatabaseOfSource(List<String> tables, String schema, Database known) {
        this(tables, schema);
        this.found = known;
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
     * Runs a statement on the tables.
     *
     * @throws MissingTableException if the statement fails because one of them is missing
     */
    <T> T run(Connection connection, Statement<T> statement) throws SQLException {
        Database database = of(connection);
        try {
            return statement.run(database);
        } catch (SQLException e) {
            for (String table : tables) {
                if (MissingTableException.isMeantBy(e, table, schema)) {
                    throw MissingTableException.of(table, schema, connection, e);
                }
            }
            throw e;
        }
    }

    /**
     * Looks for the tables, by the driver's metadata.
     *
     * @throws MissingTableException if one is not there
     */
    void requireTables(Connection connection) throws SQLException {
        for (String table : tables) {
            if (!of(connection).has(connection, table)) {
                throw MissingTableException.of(table, schema, connection, null);
            }
        }
    }

    /** A statement in the SQL of the database. */
    @FunctionalInterface
    interface Statement<T> {

        T run(Database database) throws SQLException;
    }
}
