package io.outboxrelay.client;

import java.sql.Connection;
import java.sql.SQLException;
import org.jspecify.annotations.Nullable;

/**
 * Finds out once, at the first connection, what kind of database a data source leads to. Safe for use by many threads.
 */
final class DatabaseOfSource {

    private final String schema;
    private volatile @Nullable Database found;

    DatabaseOfSource(String schema) {
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
}
