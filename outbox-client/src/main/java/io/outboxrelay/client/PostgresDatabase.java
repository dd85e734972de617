package io.outboxrelay.client;

import java.sql.Array;
import java.sql.Connection;
import java.sql.DatabaseMetaData;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.function.Function;
import org.springframework.transaction.TransactionDefinition;

/** The statements for PostgreSQL. */
record PostgresDatabase(String schema) implements Database {

    /**
     * One statement and one plan whatever the number of events. The positions come from an identity and are drawn in
     * the order of the rows, which is that of the list.
     */
    private static final String ADD = """
            INSERT INTO %s.outbox
                (event_id, aggregate_type, aggregate_id, event_type, payload, content_type, headers)
            SELECT event_id, aggregate_type, aggregate_id, event_type, payload, content_type, headers::jsonb
            FROM unnest(?::uuid[], ?::text[], ?::text[], ?::text[], ?::bytea[], ?::text[], ?::text[]) WITH ORDINALITY
                AS event (event_id, aggregate_type, aggregate_id, event_type, payload, content_type, headers, n)
            ORDER BY n""";

    private static final String NOTE = """
            INSERT INTO %s.inbox (consumer, event_id) VALUES (?, ?) ON CONFLICT DO NOTHING""";

    private static final String PROCESSED = """
            SELECT count(*) FROM %s.inbox WHERE consumer = ? AND event_id = ANY (?)""";

    /** Rows of the inbox are never updated, so that their place, ctid, names them for the length of a statement. */
    private static final String FORGET = """
            DELETE FROM %1$s.inbox WHERE ctid = ANY (ARRAY(
                SELECT ctid FROM %1$s.inbox WHERE processed_at < now() - make_interval(secs => ?)
                ORDER BY processed_at LIMIT ?))""";

    /**
     * The first by position is the oldest, give or take the transactions that are writing now. A service may write any
     * time, and PostgreSQL 14 to 16 cannot subtract an infinite one.
     */
    private static final String BACKLOG = """
            SELECT (SELECT count(*) FROM (SELECT 1 FROM %1$s.outbox LIMIT ?) AS counted),
                (SELECT CASE WHEN isfinite(occurred_at) THEN extract(epoch FROM clock_timestamp() - occurred_at) END
                    FROM %1$s.outbox ORDER BY position LIMIT 1)""";

    @Override
    public void add(Connection connection, List<Row> events) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(ADD.formatted(schema))) {
            statement.setArray(1, array(connection, "uuid", events, Row::id));
            statement.setArray(
                    2, array(connection, "text", events, row -> row.event().aggregateType()));
            statement.setArray(
                    3, array(connection, "text", events, row -> row.event().aggregateId()));
            statement.setArray(
                    4, array(connection, "text", events, row -> row.event().eventType()));
            statement.setArray(
                    5, array(connection, "bytea", events, row -> row.event().payload()));
            statement.setArray(
                    6, array(connection, "text", events, row -> row.event().contentType()));
            statement.setArray(7, array(connection, "text", events, Row::headers));
            statement.executeUpdate();
        }
    }

    private static Array array(Connection connection, String type, List<Row> events, Function<Row, Object> value)
            throws SQLException {
        // The driver wants bytea in an array of that type.
        Object[] values = type.equals("bytea") ? new byte[events.size()][] : new Object[events.size()];
        Arrays.setAll(values, i -> value.apply(events.get(i)));
        return connection.createArrayOf(type, values);
    }

    @Override
    public boolean note(Connection connection, String consumer, UUID eventId) throws SQLException {
        return Database.update(connection, NOTE.formatted(schema), consumer, eventId) == 1;
    }

    @Override
    public int processed(Connection connection, String consumer, Set<UUID> eventIds) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(PROCESSED.formatted(schema))) {
            statement.setString(1, consumer);
            statement.setArray(2, connection.createArrayOf("uuid", eventIds.toArray()));
            return Database.count(statement);
        }
    }

    @Override
    public int forget(Connection connection, double olderThanSeconds, int most) throws SQLException {
        return Database.update(connection, FORGET.formatted(schema), olderThanSeconds, most);
    }

    @Override
    public int isolationOfForgetting() {
        return TransactionDefinition.ISOLATION_DEFAULT;
    }

    @Override
    public boolean has(Connection connection, String table) throws SQLException {
        DatabaseMetaData metadata = connection.getMetaData();
        String pattern = schema.replace("_", metadata.getSearchStringEscape() + "_");
        try (ResultSet found = metadata.getTables(null, pattern, table, null)) {
            return found.next();
        }
    }

    @Override
    public Backlog backlog(Connection connection, int most) throws SQLException {
        return Database.backlog(connection, BACKLOG.formatted(schema), most);
    }
}
