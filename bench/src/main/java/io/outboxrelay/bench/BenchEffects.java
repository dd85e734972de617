package io.outboxrelay.bench;

import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import javax.sql.DataSource;

/**
 * The table that the measured consumers write, and their inbox, in the schema of {@link BenchOutbox}. Closing it drops
 * the schema.
 */
final class BenchEffects implements AutoCloseable {

    private static final int LANES = 8;

    private final BenchOutbox inbox;
    private final Connection connection;

    /**
     * What a run has left.
     *
     * @param effects rows of all events
     * @param events different events that have a row
     * @param outOfOrder rows behind one with a higher number of the same aggregate
     * @param noted events in the inbox
     */
    record Counts(long effects, long events, long outOfOrder, long noted) {

        /** Whether each of so many events had its effect once and is noted. */
        boolean areComplete(long expected) {
            return effects == expected && events == expected && noted == expected;
        }

        @Override
        public String toString() {
            return "%d effects of %d events, %d out of order, %d events in the inbox"
                    .formatted(effects, events, outOfOrder, noted);
        }
    }

    /** Creates the tables, empty. */
    BenchEffects(DataSource database) throws SQLException {
        this.inbox = new BenchOutbox(database, LANES);
        this.connection = database.getConnection();
        execute("""
                CREATE TABLE outbox_bench.effect (
                    position     bigint GENERATED ALWAYS AS IDENTITY (CACHE 1) PRIMARY KEY,
                    event_id     uuid   NOT NULL,
                    aggregate_id text   NOT NULL,
                    number       bigint NOT NULL)
                """);
    }

    /** The settings that decide whether a commit waits for the disk, for people to read. */
    String durability() throws SQLException {
        try (Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery(
                        "SELECT current_setting('fsync'), current_setting('synchronous_commit')")) {
            row.next();
            return "fsync=%s synchronous_commit=%s".formatted(row.getString(1), row.getString(2));
        }
    }

    /** Forgets all effects and events; the database's own work for that is done when this returns. */
    void clear() throws SQLException {
        execute("TRUNCATE outbox_bench.effect, outbox_bench.inbox, outbox_bench.inbox_failure RESTART IDENTITY");
        execute("VACUUM ANALYZE outbox_bench.effect, outbox_bench.inbox, outbox_bench.inbox_failure");
        execute("CHECKPOINT");
    }

    /** How many effects have been inserted, also by open or rolled back transactions. Costs the same for any number. */
    long inserted() throws SQLException {
        return number("SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM outbox_bench.effect_position_seq");
    }

    long committed() throws SQLException {
        return number("SELECT count(*) FROM outbox_bench.effect");
    }

    Counts counts() throws SQLException {
        try (Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery("""
                        SELECT count(*), count(DISTINCT event_id), count(*) FILTER (WHERE number < highest_before),
                            (SELECT count(*) FROM outbox_bench.inbox)
                        FROM (SELECT event_id, number, max(number) OVER (PARTITION BY aggregate_id ORDER BY position
                                ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS highest_before
                            FROM outbox_bench.effect) AS ordered
                        """)) {
            row.next();
            return new Counts(row.getLong(1), row.getLong(2), row.getLong(3), row.getLong(4));
        }
    }

    @Override
    public void close() throws SQLException {
        connection.close();
        inbox.close();
    }

    private long number(String query) throws SQLException {
        try (Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery(query)) {
            row.next();
            return row.getLong(1);
        }
    }

    private void execute(String sql) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }
}
