package io.outboxrelay.test;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.outboxrelay.client.Outbox;
import java.nio.ByteBuffer;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import org.springframework.jdbc.core.ConnectionCallback;
import org.springframework.jdbc.core.JdbcTemplate;

/**
 * The events that were written into an outbox since a moment, in order. Asked in a test's own transaction, it sees what
 * that transaction has written, though it will roll back; asked outside of one, it sees what was committed. No relay
 * may run on this database, because it would delete the events.
 */
public final class PublishedEvents {

    private static final TypeReference<Map<String, String>> HEADERS = new TypeReference<>() {};

    private static final ObjectMapper JSON = new ObjectMapper();

    private final JdbcTemplate jdbc;
    private final String schema;
    private volatile Set<Written> seen = Set.of();

    /**
     * Tells a row from every later one, also after the table was emptied and its positions begin anew.
     *
     * @param position its place
     * @param id the event's, which a test may use again
     * @param occurredAt when it was written, to the microsecond
     */
    private record Written(long position, UUID id, String occurredAt) {

        static Written of(ResultSet row) throws SQLException {
            return new Written(row.getLong("position"), uuid(row.getObject("event_id")), row.getString("occurred_at"));
        }
    }

    private PublishedEvents(JdbcTemplate jdbc, String schema) {
        this.jdbc = jdbc;
        this.schema = schema;
    }

    /**
     * What is written from now on.
     *
     * @param outbox whose table it reads, on the same data source; the database user needs the right to read it
     * @return empty at first
     * @throws org.springframework.dao.DataAccessException if the table cannot be read
     */
    public static PublishedEvents of(Outbox outbox) {
        PublishedEvents events = new PublishedEvents(new JdbcTemplate(outbox.dataSource()), outbox.schema());
        events.forget();
        return events;
    }

    /** Leaves out what is there now: the list begins anew. */
    public void forget() {
        seen = Set.copyOf(
                jdbc.query("SELECT position, event_id, occurred_at FROM " + table(), (row, number) -> Written.of(row)));
    }

    /**
     * Reads the events.
     *
     * @return in the order in which they were written
     */
    public List<PublishedEvent> list() {
        List<PublishedEvent> events = new ArrayList<>();
        jdbc.query(
                "SELECT position, occurred_at, event_id, event_type, aggregate_type, aggregate_id, payload,"
                        + " content_type, headers FROM " + table() + " ORDER BY position",
                row -> {
                    if (!seen.contains(Written.of(row))) {
                        events.add(event(row));
                    }
                });
        return Collections.unmodifiableList(events);
    }

    /**
     * Reads the events of one type.
     *
     * @param eventType what happened
     * @return in the order in which they were written
     */
    public List<PublishedEvent> ofType(String eventType) {
        return list().stream()
                .filter(event -> event.eventType().equals(eventType))
                .toList();
    }

    /** On MariaDB and MySQL {@code public} stands for the database of the connection. */
    private String table() {
        String product = jdbc.execute((ConnectionCallback<String>)
                connection -> connection.getMetaData().getDatabaseProductName());
        return schema.equals("public") && !"PostgreSQL".equals(product) ? "outbox" : schema + ".outbox";
    }

    private static PublishedEvent event(ResultSet row) throws SQLException {
        return new PublishedEvent(
                uuid(row.getObject("event_id")),
                row.getString("event_type"),
                row.getString("aggregate_type"),
                row.getString("aggregate_id"),
                row.getBytes("payload"),
                row.getString("content_type"),
                headers(row.getString("headers")));
    }

    private static Map<String, String> headers(String json) {
        try {
            return JSON.readValue(json, HEADERS);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("The headers of an event are not those that an outbox writes: " + json, e);
        }
    }

    private static UUID uuid(Object value) {
        if (value instanceof byte[] bytes) {
            ByteBuffer buffer = ByteBuffer.wrap(bytes);
            return new UUID(buffer.getLong(), buffer.getLong());
        }
        return (UUID) value;
    }

    @Override
    public String toString() {
        return list().toString();
    }
}
