package io.outboxrelay.relay.database;

import io.outboxrelay.relay.lane.Aggregate;
import io.outboxrelay.relay.lane.Event;
import java.sql.SQLException;
import java.util.Objects;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.springframework.dao.DataAccessException;
import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.jdbc.core.RowMapper;

/**
 * Reads rows one by one after the server has refused to send them together, because a text in one of them is none in UTF-8:
 * a database in SQL_ASCII takes every byte, and other encodings have signs that UTF-8 has not.
 *
 * <p>Of the row at fault the server then sends those texts as the bytes that it has that it cannot send in UTF-8.
 */
final class RowByRow {

    private static final String DATA_EXCEPTION = "22";
    private static final Pattern TEXT = Pattern.compile("TEXT\\(([a-z_:]+)\\)");

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
        return read(
                EVENT,
                " FROM %s.outbox WHERE lane = ? AND position = ?".formatted(schema),
                (row, n) -> PostgresOutbox.EVENTS.event(row, null),
                (row, n) -> PostgresOutbox.EVENTS.unreadable(row, null),
                lane,
                position);
    }

    /** An event among the failures. */
    PostgresOutbox.Failure failure(long id) {
        return read(
                EVENT + ", " + PostgresOutbox.KEPT,
                " FROM %s.outbox_failure WHERE id = ?".formatted(schema),
                (row, n) -> PostgresOutbox.failure(row, PostgresOutbox.EVENTS.event(row, PostgresOutbox.kept(row))),
                (row, n) ->
                        PostgresOutbox.failure(row, PostgresOutbox.EVENTS.unreadable(row, PostgresOutbox.kept(row))),
                id);
    }

    /** The aggregate of an event among the failures; empty when the row is gone, or its names are no texts. */
    Optional<Aggregate> aggregate(long failure) {
        String from = " FROM %s.outbox_failure WHERE id = ?".formatted(schema);
        return isUtf8("aggregate_type", from, failure) && isUtf8("aggregate_id", from, failure)
                ? database
                        .query(
                                "SELECT convert_to(aggregate_type, 'UTF8'), convert_to(aggregate_id, 'UTF8')" + from,
                                (row, n) -> EventReader.aggregate(row, 1, 2),
                                failure)
                        .stream()
                        .flatMap(Optional::stream)
                        .findFirst()
                : Optional.empty();
    }

    /** A row that is gone meanwhile is an error: what is read must have no holes. The caller asks again. */
    private <T> T read(String columns, String from, RowMapper<T> mapper, RowMapper<T> ofBytes, Object... key) {
        try {
            return one(columns.replace("TEXT(", "(") + from, mapper, key);
        } catch (DataAccessException e) {
            if (!helps(e)) {
                throw e;
            }
            String bytes = TEXT.matcher(columns)
                    .replaceAll(text -> "convert_to(%s, '%s')"
                            .formatted(text.group(1), isUtf8(text.group(1), from, key) ? "UTF8" : "SQL_ASCII"));
            return one(bytes + from, ofBytes, key);
        }
    }

    private boolean isUtf8(String text, String from, Object... key) {
        try {
            database.query("SELECT convert_to(%s, 'UTF8')".formatted(text) + from, row -> {}, key);
            return true;
        } catch (DataAccessException e) {
            if (!helps(e)) {
                throw e;
            }
            return false;
        }
    }

    private <T> T one(String event, RowMapper<T> mapper, Object... key) {
        Object[] values =
                Stream.concat(Stream.of(maxEventBytes), Stream.of(key)).toArray();
        return Objects.requireNonNull(database.queryForObject("SELECT " + event, mapper, values));
    }
}
