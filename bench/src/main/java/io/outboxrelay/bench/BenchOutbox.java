package io.outboxrelay.bench;

import io.outboxrelay.schema.OutboxSchema;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import javax.sql.DataSource;

/** The outbox that is drained, in a database schema of its own. Closing it drops the schema. */
final class BenchOutbox implements AutoCloseable {

    static final String SCHEMA = "outbox_bench";
    private static final int EVENTS_PER_TRANSACTION = 10_000;

    private final DataSource database;
    private final Connection connection;
    private final boolean isPostgres;

    /** Installs an empty outbox; one that an interrupted measurement left behind is dropped. */
    BenchOutbox(DataSource database, int lanes) throws SQLException {
        this.database = database;
        this.connection = database.getConnection();
        this.isPostgres = connection.getMetaData().getDatabaseProductName().equals("PostgreSQL");
        execute(drop());
        OutboxSchema.defaults().withSchema(SCHEMA).withLanes(lanes).installOn(database);
    }

    /**
     * Empties the outbox and writes events as a service would, aggregate after aggregate, many rows a transaction. The
     * database's own work for them (checkpoint, statistics) is done when this returns.
     */
    void fill(long events, int aggregates, int payloadBytes) throws SQLException {
        fill(events, aggregates, new byte[payloadBytes], "application/octet-stream", "{}");
    }

    /** The same with a certain payload and headers. */
    void fill(long events, int aggregates, byte[] payload, String contentType, String headers) throws SQLException {
        execute("TRUNCATE outbox_bench.outbox");
        insert(events, aggregates, payload, contentType, headers);
        execute("VACUUM ANALYZE outbox_bench.outbox");
        execute("CHECKPOINT");
    }

    /**
     * As {@link #fill(long, int, int)}, with rows before the events that were deleted and cannot be vacuumed as long as
     * a transaction is open.
     *
     * @param deadRows how many rows
     * @param reader begins that transaction, which its caller ends
     */
    void fillBehind(long deadRows, Connection reader, long events, int aggregates, int payloadBytes)
            throws SQLException {
        fill(deadRows, aggregates, payloadBytes);
        reader.setTransactionIsolation(Connection.TRANSACTION_REPEATABLE_READ);
        reader.setAutoCommit(false);
        try (Statement statement = reader.createStatement()) {
            statement.execute("SELECT 1");
        }
        execute("DELETE FROM outbox_bench.outbox");
        insert(events, aggregates, new byte[payloadBytes], "application/octet-stream", "{}");
        execute("VACUUM ANALYZE outbox_bench.outbox");
        execute("CHECKPOINT");
    }

    private void insert(long events, int aggregates, byte[] payload, String contentType, String headers)
            throws SQLException {
        try (PreparedStatement insert = connection.prepareStatement("""
                INSERT INTO outbox_bench.outbox
                    (aggregate_type, aggregate_id, event_type, payload, content_type, headers)
                SELECT 'Order', 'order-' || n % ?, 'Placed', ?, ?, ?::jsonb
                FROM generate_series(?, ?) AS n
                """)) {
            for (long from = 0; from < events; from += EVENTS_PER_TRANSACTION) {
                insert.setInt(1, aggregates);
                insert.setBytes(2, payload);
                insert.setString(3, contentType);
                insert.setString(4, headers);
                insert.setLong(5, from);
                insert.setLong(6, Math.min(events, from + EVENTS_PER_TRANSACTION) - 1);
                insert.executeUpdate();
            }
        }
    }

    /**
     * Empties the outbox and turns the trigger on or off that wakes a relay, if the database has one; the database's
     * own work for that is done when this returns.
     */
    void reset(boolean wakesRelay) throws SQLException {
        execute("TRUNCATE TABLE outbox_bench.outbox");
        if (isPostgres) {
            execute("SELECT outbox_bench.outbox_wakeup(" + wakesRelay + ")");
            execute("CHECKPOINT");
        }
    }

    /** Whether every event is settled. */
    boolean isEmpty() throws SQLException {
        try (Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery("SELECT NOT EXISTS (SELECT 1 FROM outbox_bench.outbox)")) {
            rows.next();
            return rows.getBoolean(1);
        }
    }

    @Override
    public void close() throws SQLException {
        // Another connection: this one may be what broke.
        connection.close();
        try (Connection last = database.getConnection();
                Statement statement = last.createStatement()) {
            statement.execute(drop());
        }
    }

    /** MariaDB and MySQL drop all that is in a schema anyway. */
    private String drop() {
        return "DROP SCHEMA IF EXISTS outbox_bench" + (isPostgres ? " CASCADE" : "");
    }

    private void execute(String sql) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }
}
