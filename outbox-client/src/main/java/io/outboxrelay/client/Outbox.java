package io.outboxrelay.client;

import com.fasterxml.uuid.Generators;
import com.fasterxml.uuid.NoArgGenerator;
import java.sql.Array;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.util.Arrays;
import java.util.List;
import java.util.UUID;
import java.util.function.Function;
import javax.sql.DataSource;
import org.springframework.jdbc.core.ConnectionCallback;
import org.springframework.jdbc.core.JdbcTemplate;

/**
 * Writes events into the outbox table, in the caller's Spring transaction. Safe for use by many threads.
 *
 * <p>If the transaction commits, a relay publishes the events, those of one aggregate in the order in which they were
 * written; if it rolls back, nobody hears of them. Nothing here talks to a broker. The database user needs no more
 * rights than the role {@code outbox_writer} has.
 */
public final class Outbox {

    /**
     * One statement and one plan whatever the number of events. The positions come from an identity and are drawn in the
     * order of the rows, which is that of the list.
     */
    private static final String INSERT = """
            INSERT INTO %s.outbox
                (event_id, aggregate_type, aggregate_id, event_type, payload, content_type, headers)
            SELECT event_id, aggregate_type, aggregate_id, event_type, payload, content_type, headers::jsonb
            FROM unnest(?::uuid[], ?::text[], ?::text[], ?::text[], ?::bytea[], ?::text[], ?::text[]) WITH ORDINALITY
                AS event (event_id, aggregate_type, aggregate_id, event_type, payload, content_type, headers, n)
            ORDER BY n""";

    private final JdbcTemplate jdbc;
    private final String insert;
    private final NoArgGenerator ids = Generators.timeBasedEpochGenerator();
    private final TraceHeaders trace = TraceHeaders.ofClassPath(Outbox.class.getClassLoader());
    private final HeadersJson json = new HeadersJson();

    /**
     * The outbox in the schema {@code public}.
     *
     * @param dataSource the one that the caller's transactions use
     */
    public Outbox(DataSource dataSource) {
        this(dataSource, "public");
    }

    /**
     * The outbox in the given schema.
     *
     * @param dataSource the one that the caller's transactions use
     * @param schema where the tables are installed
     * @throws IllegalArgumentException if the schema is not a lower-case SQL identifier
     */
    public Outbox(DataSource dataSource, String schema) {
        this.jdbc = new JdbcTemplate(dataSource);
        this.insert = INSERT.formatted(CallersTransaction.requireIdentifier(schema));
    }

    /**
     * Adds an event to the caller's transaction.
     *
     * @param event what happened
     * @return the event's id: the given one, or a new UUID of version 7
     * @throws IllegalStateException without a transaction on this data source
     * @throws org.springframework.dao.DataAccessException if the database refuses; the transaction is lost then
     */
    public UUID publish(OutboxEvent event) {
        return publish(List.of(event)).get(0);
    }

    /**
     * Adds events to the caller's transaction, in one statement whatever their number. Their order in the list is the
     * order in which the events of each aggregate are published.
     *
     * @param events what happened, in this order; may be empty
     * @return the events' ids, in the same order
     * @throws IllegalStateException without a transaction on this data source
     * @throws org.springframework.dao.DataAccessException if the database refuses; the transaction is lost then
     */
    public List<UUID> publish(List<OutboxEvent> events) {
        CallersTransaction.requireActive();
        if (events.isEmpty()) {
            return List.of();
        }
        UUID[] eventIds = column(events, UUID[]::new, this::idOf);
        jdbc.execute((ConnectionCallback<Integer>) connection -> insert(connection, eventIds, events));
        return List.of(eventIds);
    }

    private UUID idOf(OutboxEvent event) {
        UUID id = event.id();
        return id != null ? id : ids.generate();
    }

    private int insert(Connection connection, UUID[] eventIds, List<OutboxEvent> events) throws SQLException {
        CallersTransaction.requireJoinedBy(connection);
        Array[] columns = {
            connection.createArrayOf("uuid", eventIds),
            connection.createArrayOf("text", column(events, String[]::new, OutboxEvent::aggregateType)),
            connection.createArrayOf("text", column(events, String[]::new, OutboxEvent::aggregateId)),
            connection.createArrayOf("text", column(events, String[]::new, OutboxEvent::eventType)),
            connection.createArrayOf("bytea", column(events, byte[][]::new, OutboxEvent::payload)),
            connection.createArrayOf("text", column(events, String[]::new, OutboxEvent::contentType)),
            connection.createArrayOf("text", column(events, String[]::new, this::headersOf)),
        };
        try (PreparedStatement statement = connection.prepareStatement(insert)) {
            for (int i = 0; i < columns.length; i++) {
                statement.setArray(i + 1, columns[i]);
            }
            return statement.executeUpdate();
        }
    }

    private String headersOf(OutboxEvent event) {
        return json.write(trace.addTo(event.headers()));
    }

    private static <T> T[] column(
            List<OutboxEvent> events, Function<Integer, T[]> newArray, Function<OutboxEvent, T> value) {
        T[] values = newArray.apply(events.size());
        Arrays.setAll(values, i -> value.apply(events.get(i)));
        return values;
    }
}
