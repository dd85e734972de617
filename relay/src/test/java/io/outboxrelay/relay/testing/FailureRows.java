package io.outboxrelay.relay.testing;

import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** Puts rows into {@code outbox_failure} as a relay would, each behind the one before. */
public final class FailureRows {

    /** In the payload and in a header of every row: must not be seen in any output. */
    public static final String SECRET = "top-secret";

    private final OutboxDatabase database;
    private int lane;
    private String aggregateType = "Order";
    private String eventType = "OrderPlaced";
    private String reason = "unroutable";
    private Duration age = Duration.ZERO;

    public FailureRows(OutboxDatabase database) {
        this.database = database;
    }

    public FailureRows lane(int value) {
        lane = value;
        return this;
    }

    public FailureRows aggregateType(String value) {
        aggregateType = value;
        return this;
    }

    public FailureRows eventType(String value) {
        eventType = value;
        return this;
    }

    public FailureRows reason(String value) {
        reason = value;
        return this;
    }

    /** How long ago it failed first. */
    public FailureRows age(Duration value) {
        age = value;
        return this;
    }

    /** The next row of an aggregate; after a few attempts unless it only waits. */
    public UUID put(String aggregateId, String state) {
        return put(aggregateId, state, true);
    }

    /** A parked row whose aggregate continues without it. */
    public UUID putParkedNotBlocking(String aggregateId) {
        return put(aggregateId, "parked", false);
    }

    private UUID put(String aggregateId, String state, boolean blocking) {
        UUID event = UUID.randomUUID();
        boolean failed = List.of("retrying", "parked").contains(state);
        @Nullable String why = failed ? reason : null;
        String mariaDb = """
            INSERT INTO outbox_failure (
                lane, position, event_id, aggregate_type, aggregate_id, event_type, payload, content_type, headers,
                occurred_at, state, blocking, attempts, failures, next_attempt_at, first_failed_at, failed_at,
                reason, detail)
            SELECT ?, coalesce(max(n.id), 0) + 1, unhex(replace(?, '-', '')), ?, ?, ?, ?, 'text/plain',
                   json_object('token', ?), utc_timestamp(6) - INTERVAL 1 DAY, ?, ?, CASE WHEN f THEN 3 ELSE 0 END,
                   CASE WHEN f THEN 4 ELSE 0 END,
                   CASE WHEN ? = 'retrying' THEN utc_timestamp(6) + INTERVAL 1 HOUR END,
                   CASE WHEN f THEN utc_timestamp(6) - INTERVAL ? SECOND END,
                   CASE WHEN f THEN utc_timestamp(6) END, ?, CASE WHEN f THEN 'no queue is bound' END
            FROM (SELECT ? AS f) failed LEFT JOIN outbox_failure n ON true GROUP BY f
            """;
        try (Connection connection = database.database().sessions().getConnection();
                PreparedStatement insert = connection.prepareStatement(database.isInnoDb() ? mariaDb : """
                    INSERT INTO outbox_failure (
                        lane, position, event_id, aggregate_type, aggregate_id, event_type, payload, content_type,
                        headers, occurred_at, state, blocking, attempts, failures, next_attempt_at, first_failed_at,
                        failed_at, reason, detail)
                    SELECT ?, 1 + count(*), ?, ?, ?, ?, ?, 'text/plain', jsonb_build_object('token', ?),
                           clock_timestamp() - interval '1 day', ?, ?, CASE WHEN f THEN 3 ELSE 0 END,
                           CASE WHEN f THEN 4 ELSE 0 END,
                           CASE WHEN ? = 'retrying' THEN clock_timestamp() + interval '1 hour' END,
                           CASE WHEN f THEN clock_timestamp() - ? * interval '1 second' END,
                           CASE WHEN f THEN clock_timestamp() END, ?, CASE WHEN f THEN 'no queue is bound' END
                    FROM (SELECT CAST(? AS boolean) AS f) AS failed LEFT JOIN outbox_failure ON true GROUP BY f
                    """)) {
            int n = 0;
            insert.setInt(++n, lane);
            insert.setObject(++n, database.isInnoDb() ? event.toString() : event);
            insert.setString(++n, aggregateType);
            insert.setString(++n, aggregateId);
            insert.setString(++n, eventType);
            insert.setBytes(++n, SECRET.getBytes(StandardCharsets.UTF_8));
            insert.setString(++n, SECRET);
            insert.setString(++n, state);
            insert.setBoolean(++n, blocking);
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

    /** The rows of an aggregate in order, as {@code state/attempts/failures}, a star at those to be tried now. */
    public List<String> states(String aggregateId) {
        return database.column("""
            SELECT state || '/' || attempts || '/' || failures
                   || CASE WHEN next_attempt_at <= clock_timestamp() THEN '*' ELSE '' END
                   || CASE WHEN blocking THEN '' ELSE ' not blocking' END
            FROM outbox_failure WHERE aggregate_id = '%s' ORDER BY id
            """.formatted(aggregateId));
    }
}
