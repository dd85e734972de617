package io.outboxrelay.relay.testing;

import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** Puts rows into {@code inbox_failure} as a consumer would, each behind the one before. */
public final class InboxRows {

    private final OutboxDatabase database;
    private String consumer = "billing";
    private String aggregateType = "Order";
    private String eventType = "OrderPlaced";
    private String reason = "failed";
    private Duration age = Duration.ZERO;

    public InboxRows(OutboxDatabase database) {
        this.database = database;
    }

    public InboxRows consumer(String value) {
        consumer = value;
        return this;
    }

    public InboxRows aggregateType(String value) {
        aggregateType = value;
        return this;
    }

    public InboxRows eventType(String value) {
        eventType = value;
        return this;
    }

    public InboxRows reason(String value) {
        reason = value;
        return this;
    }

    /** How long ago it failed first. */
    public InboxRows age(Duration value) {
        age = value;
        return this;
    }

    /** The next event of an aggregate; after a few attempts unless it only waits. */
    public UUID put(String aggregateId, String state) {
        return put(UUID.randomUUID(), aggregateId, state);
    }

    /** The same, of an event that another consumer may have too. */
    public UUID put(UUID event, String aggregateId, String state) {
        boolean failed = !state.equals("waiting");
        @Nullable String why = failed ? reason : null;
        String mariaDb = """
            INSERT INTO inbox_failure (consumer, event_id, aggregate_type, aggregate_id, event_type, payload,
                content_type, headers, occurred_at, queue, state, attempts, next_attempt_at, first_failed_at, failed_at,
                reason, detail)
            SELECT ?, unhex(replace(?, '-', '')), ?, ?, ?, ?, 'text/plain', json_object('token', ?),
                   utc_timestamp(6) - INTERVAL 1 DAY, 'billing.orders', ?, CASE WHEN f THEN 3 ELSE 0 END,
                   CASE WHEN ? = 'retrying' THEN utc_timestamp(6) + INTERVAL 1 HOUR END,
                   CASE WHEN f THEN utc_timestamp(6) - INTERVAL ? SECOND END,
                   CASE WHEN f THEN utc_timestamp(6) END, ?, CASE WHEN f THEN 'no such customer' END
            FROM (SELECT ? AS f) failed
            """;
        try (Connection connection = database.database().sessions().getConnection();
                PreparedStatement insert = connection.prepareStatement(database.isInnoDb() ? mariaDb : """
                    INSERT INTO inbox_failure (consumer, event_id, aggregate_type, aggregate_id, event_type, payload,
                        content_type, headers, occurred_at, queue, state, attempts, next_attempt_at, first_failed_at,
                        failed_at, reason, detail)
                    SELECT ?, ?, ?, ?, ?, ?, 'text/plain', jsonb_build_object('token', ?),
                           clock_timestamp() - interval '1 day', 'billing.orders', ?, CASE WHEN f THEN 3 ELSE 0 END,
                           CASE WHEN ? = 'retrying' THEN clock_timestamp() + interval '1 hour' END,
                           CASE WHEN f THEN clock_timestamp() - ? * interval '1 second' END,
                           CASE WHEN f THEN clock_timestamp() END, ?, CASE WHEN f THEN 'no such customer' END
                    FROM (SELECT CAST(? AS boolean) AS f) AS failed
                    """)) {
            int n = 0;
            insert.setString(++n, consumer);
            insert.setObject(++n, database.isInnoDb() ? event.toString() : event);
            insert.setString(++n, aggregateType);
            insert.setString(++n, aggregateId);
            insert.setString(++n, eventType);
            insert.setBytes(++n, FailureRows.SECRET.getBytes(StandardCharsets.UTF_8));
            insert.setString(++n, FailureRows.SECRET);
            insert.setString(++n, state);
            insert.setString(++n, state);
            insert.setLong(++n, age.toSeconds());
            insert.setString(++n, why);
            insert.setBoolean(++n, failed);
            insert.executeUpdate();
            return event;
        } catch (SQLException e) {
            throw new IllegalStateException(e);
        }
    }

    /** Notes in the inbox that the consumer has processed an event. */
    public void processed(UUID event) {
        database.execute("INSERT INTO inbox (consumer, event_id) VALUES ('%s', %s)"
                .formatted(
                        consumer,
                        database.isInnoDb() ? "unhex(replace('%s', '-', ''))".formatted(event) : "'" + event + "'"));
    }

    /** The rows of a consumer's aggregate in order, as {@code state/attempts}, a star at those to be tried now. */
    public List<String> states(String aggregateId) {
        return database.column("""
            SELECT state || '/' || attempts
                   || CASE WHEN next_attempt_at <= clock_timestamp() THEN '*' ELSE '' END
            FROM inbox_failure WHERE consumer = '%s' AND aggregate_id = '%s' ORDER BY id
            """.formatted(consumer, aggregateId));
    }
}
