package io.outboxrelay.client;

import java.nio.ByteBuffer;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import org.springframework.transaction.TransactionDefinition;

/**
 * The statements for MariaDB and MySQL, where a schema is a database; {@code public} stands for the one that the
 * connection is in.
 */
record MariaDatabase(String schema) implements Database {

    /**
     * A statement must fit into {@code max_allowed_packet}, 16 MiB by default; escaped, bytes may take twice their
     * room.
     */
    private static final int MOST_BYTES = 4 << 20;

    private static final int MOST_ROWS = 1_000;

    /** Of all errors: the values are there already, under a primary or unique key. */
    private static final int DUPLICATE = 1062;

    private static final int PARAMETERS = 7;

    /**
     * The positions come from a counter and are drawn in the order of the rows, whichever
     * {@code innodb_autoinc_lock_mode} is set: the number of rows is known beforehand.
     */
    private static final String ADD = """
            INSERT INTO %soutbox (event_id, aggregate_type, aggregate_id, event_type, payload, content_type, headers)
            VALUES\s""";

    private static final String ROW = "(?, ?, ?, ?, ?, ?, ?)";

    /** No IGNORE, which would hide every other error too. An error ends this statement, not its transaction. */
    private static final String NOTE = "INSERT INTO %sinbox (consumer, event_id) VALUES (?, ?)";

    private static final String PROCESSED = "SELECT count(*) FROM %sinbox WHERE consumer = ? AND event_id IN (%s)";

    private static final String FORGET = """
            DELETE FROM %sinbox WHERE processed_at < utc_timestamp(6) - INTERVAL ? MICROSECOND
            ORDER BY processed_at LIMIT ?""";

    private static final String BACKLOG = """
            SELECT (SELECT count(*) FROM (SELECT 1 FROM %1$soutbox LIMIT ?) AS counted),
                (SELECT timestampdiff(MICROSECOND, occurred_at, utc_timestamp(6)) / 1e6 FROM %1$soutbox
                    ORDER BY position LIMIT 1)""";

    private String prefix() {
        return schema.equals("public") ? "" : schema + ".";
    }

    @Override
    public void add(Connection connection, List<Row> events) throws SQLException {
        List<Row> some = new ArrayList<>();
        long bytes = 0;
        for (Row row : events) {
            int size = row.event().payload().length + row.headers().length();
            if (some.size() == MOST_ROWS || (bytes + size > MOST_BYTES && !some.isEmpty())) {
                insert(connection, some);
                some.clear();
                bytes = 0;
            }
            some.add(row);
            bytes += size;
        }
        insert(connection, some);
    }

    private void insert(Connection connection, List<Row> events) throws SQLException {
        String sql = ADD.formatted(prefix()) + String.join(", ", Collections.nCopies(events.size(), ROW));
        try (PreparedStatement statement = connection.prepareStatement(sql)) {
            for (int i = 0; i < events.size(); i++) {
                bind(statement, i * PARAMETERS, events.get(i));
            }
            statement.executeUpdate();
        }
    }

    private static void bind(PreparedStatement statement, int before, Row row) throws SQLException {
        statement.setBytes(before + 1, bytes(row.id()));
        statement.setString(before + 2, row.event().aggregateType());
        statement.setString(before + 3, row.event().aggregateId());
        statement.setString(before + 4, row.event().eventType());
        statement.setBytes(before + 5, row.event().payload());
        statement.setString(before + 6, row.event().contentType());
        statement.setString(before + 7, row.headers());
    }

    /**
     * If another transaction is noting the same event, this waits for its outcome. When one that others wait for rolls
     * back, InnoDB may end one of those as a deadlock: that is an exception here, and processing it again helps.
     */
    @Override
    public boolean note(Connection connection, String consumer, UUID eventId) throws SQLException {
        try {
            return Database.update(connection, NOTE.formatted(prefix()), consumer, bytes(eventId)) == 1;
        } catch (SQLException e) {
            if (e.getErrorCode() == DUPLICATE) {
                return false;
            }
            throw e;
        }
    }

    @Override
    public int processed(Connection connection, String consumer, Set<UUID> eventIds) throws SQLException {
        String ids = String.join(", ", Collections.nCopies(eventIds.size(), "?"));
        try (PreparedStatement statement = connection.prepareStatement(PROCESSED.formatted(prefix(), ids))) {
            statement.setString(1, consumer);
            int n = 1;
            for (UUID eventId : eventIds) {
                n++;
                statement.setBytes(n, bytes(eventId));
            }
            return Database.count(statement);
        }
    }

    @Override
    public int forget(Connection connection, double olderThanSeconds, int most) throws SQLException {
        return Database.update(connection, FORGET.formatted(prefix()), (long) (olderThanSeconds * 1e6), most);
    }

    /** At REPEATABLE READ the gaps between the oldest rows would be locked too, and with the last one all new rows. */
    @Override
    public int isolationOfForgetting() {
        return TransactionDefinition.ISOLATION_READ_COMMITTED;
    }

    @Override
    public boolean has(Connection connection, String table) throws SQLException {
        String database = schema.equals("public") ? connection.getCatalog() : schema;
        try (ResultSet found = connection.getMetaData().getTables(database, null, table, null)) {
            return found.next();
        }
    }

    @Override
    public Backlog backlog(Connection connection, int most) throws SQLException {
        return Database.backlog(connection, BACKLOG.formatted(prefix()), most);
    }

    private static byte[] bytes(UUID id) {
        return ByteBuffer.allocate(2 * Long.BYTES)
                .putLong(id.getMostSignificantBits())
                .putLong(id.getLeastSignificantBits())
                .array();
    }
}
