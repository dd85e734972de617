package io.outboxrelay.relay.postgresql;

import io.outboxrelay.relay.lane.Event;
import java.sql.SQLException;
import java.util.Objects;
import org.springframework.dao.DataAccessException;
import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.jdbc.core.RowMapper;

/**
 * Reads rows one by one after the server has refused to send them together, because a text in one of them is none in UTF-8:
 * a database in SQL_ASCII takes every byte, and other encodings have signs that UTF-8 has not.
 *
 * <p>Of the row at fault the server then sends the texts as the bytes that it has.
 */
final class RowByRow {

    private static final String DATA_EXCEPTION = "22";

    private static final String EVENT = """
        position, event_id, TEXT(aggregate_type), TEXT(aggregate_id), TEXT(event_type), octet_length(payload),
        CASE WHEN octet_length(payload) <= ? THEN payload END, TEXT(content_type), TEXT(headers::text), occurred_at\
        """;

    private final JdbcTemplate database;
    private final String schema;
    private final int maxEventBytes;

    RowByRow(JdbcTemplate database, String schema, int maxEventBytes) {
        this.database = database;
        this.schema = schema;
        this.maxEventBytes = maxEventBytes;
    }

    /** Whether a statement failed that can be made for single rows instead. */
    static boolean helps(DataAccessException e) {
        return e.getMostSpecificCause() instanceof SQLException cause
                && String.valueOf(cause.getSQLState()).startsWith(DATA_EXCEPTION);
    }

    /** The keys of what a statement would have read. */
    static String keys(String columns, String statement) {
        return "SELECT %s FROM (%s) AS whole ORDER BY 1".formatted(columns, statement);
    }

    /** An event of the outbox. */
    Event unpublished(int lane, long position) {
        String from = " FROM %s.outbox WHERE lane = ? AND position = ?".formatted(schema);
        return read(
                EVENT + from,
                (row, n) -> PostgresOutbox.EVENTS.event(row, null),
                (row, n) -> PostgresOutbox.EVENTS.unreadable(row, null),
                maxEventBytes,
                lane,
                position);
    }

    /** An event among the failures. */
    PostgresOutbox.Failure failure(long id) {
        return read(
                "%s, %s FROM %s.outbox_failure WHERE id = ?".formatted(EVENT, PostgresOutbox.KEPT, schema),
                (row, n) -> PostgresOutbox.failure(row, PostgresOutbox.EVENTS.event(row, PostgresOutbox.kept(row))),
                (row, n) ->
                        PostgresOutbox.failure(row, PostgresOutbox.EVENTS.unreadable(row, PostgresOutbox.kept(row))),
                maxEventBytes,
                id);
    }

    /** A row that is gone meanwhile is an error: what is read must have no holes. The caller asks again. */
    private <T> T read(String columns, RowMapper<T> mapper, RowMapper<T> ofBytes, Object... values) {
        String statement = "SELECT " + columns;
        try {
            return one(statement.replace("TEXT(", "("), mapper, values);
        } catch (DataAccessException e) {
            if (!helps(e)) {
                throw e;
            }
            return one(statement.replaceAll("TEXT\\(([a-z_:]+)\\)", "convert_to($1, 'SQL_ASCII')"), ofBytes, values);
        }
    }

    private <T> T one(String statement, RowMapper<T> mapper, Object... values) {
        return Objects.requireNonNull(database.queryForObject(statement, mapper, values));
    }
}
