package io.outboxrelay.client;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.List;
import java.util.Set;
import java.util.UUID;

/** The SQL of one kind of database. Holds no state; every method works in the transaction of the given connection. */
interface Database {

    /** Behind a lock, or in a table full of dead rows, a backlog is not worth a connection of the pool. */
    int LONGEST_BACKLOG_SECONDS = 2;

    /**
     * Finds out what a connection leads to.
     *
     * @param connection asked for its metadata
     * @param schema where the tables are installed, a plain identifier
     */
    static Database of(Connection connection, String schema) throws SQLException {
        return connection.getMetaData().getDatabaseProductName().equals("PostgreSQL")
                ? new PostgresDatabase(schema)
                : new MariaDatabase(schema);
    }

    /** Adds events to the outbox, positions in the order of the list. */
    void add(Connection connection, List<Row> events) throws SQLException;

    /** Notes an event in the inbox; false, and the transaction goes on, if it was noted before. */
    boolean note(Connection connection, String consumer, UUID eventId) throws SQLException;

    /** Counts those of the events that the inbox has noted for the consumer. */
    int processed(Connection connection, String consumer, Set<UUID> eventIds) throws SQLException;

    /** Forgets so many of the oldest notes of the inbox, in a transaction of its own; returns how many there were. */
    int forget(Connection connection, double olderThanSeconds, int most) throws SQLException;

    /** The isolation in which {@link #forget} keeps out of the way of consumers, as Spring numbers it. */
    int isolationOfForgetting();

    /** Whether the connection's user sees a table of this name where the outbox is looked for. */
    boolean has(Connection connection, String table) throws SQLException;

    /** Counts unpublished events up to a number, and reads the age of the one that was written first. */
    Backlog backlog(Connection connection, int most) throws SQLException;

    /** An event as it is written. */
    record Row(UUID id, OutboxEvent event, String headers) {}

    /** Executes a statement whose row has the number of events and the age of the first one in seconds. */
    static Backlog backlog(Connection connection, String sql, int most) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(sql)) {
            statement.setInt(1, most);
            statement.setQueryTimeout(LONGEST_BACKLOG_SECONDS);
            try (ResultSet row = statement.executeQuery()) {
                row.next();
                return Backlog.of(row.getLong(1), row.getDouble(2));
            }
        }
    }

    /** Executes a statement whose only value is a number. */
    static int count(PreparedStatement statement) throws SQLException {
        try (ResultSet row = statement.executeQuery()) {
            row.next();
            return row.getInt(1);
        }
    }

    /** Prepares, binds and executes one statement. */
    static int update(Connection connection, String sql, Object... values) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(sql)) {
            for (int i = 0; i < values.length; i++) {
                statement.setObject(i + 1, values[i]);
            }
            return statement.executeUpdate();
        }
    }
}
