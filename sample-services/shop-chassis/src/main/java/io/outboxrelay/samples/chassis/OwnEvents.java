package io.outboxrelay.samples.chassis;

import java.nio.ByteBuffer;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.springframework.jdbc.core.RowMapper;
import org.springframework.jdbc.core.simple.JdbcClient;

/**
 * Where a service's own events are, read from three views that the service has in its own database:
 * {@code waiting_event}, {@code published_event} and {@code lane_owner}. The service's login may read these, but not
 * the outbox itself. Safe for use by many threads.
 *
 * <p>A claim is a SELECT, so the database has no record of it: an event is waiting until it is confirmed.
 */
final class OwnEvents {

    /** Of one aggregate. */
    private static final int MOST = 50;

    /** Every event that is published and retained. */
    private static final String PUBLISHED = "aggregate_type = :type AND aggregate_id = :id";

    /** MariaDB's index is on the hash of the two. */
    private static final String PUBLISHED_BY_HASH =
            PUBLISHED + " AND aggregate = unhex(sha2(concat(:type, char(31 USING utf8mb4), :id), 256))";

    private final JdbcClient database;
    private final String published;

    /**
     * Creates it.
     *
     * @param product of the database, as its driver names it
     */
    OwnEvents(JdbcClient database, String product) {
        this.database = database;
        this.published = product.equals("MariaDB") ? PUBLISHED_BY_HASH : PUBLISHED;
    }

    /**
     * The events that are not yet published.
     *
     * @param oldestSeconds null if there is none
     */
    record Backlog(long events, @Nullable Double oldestSeconds) {}

    /**
     * A lane.
     *
     * @param relay that owns it now; null if none does
     */
    record Lane(int lane, @Nullable String relay) {}

    /**
     * An event of this service.
     *
     * @param event its type
     * @param state waiting, retrying, parked, paused or confirmed
     * @param reason why it failed; null if it did not
     * @param writtenAt by the database's clock, like the next
     * @param confirmedAt when the relay recorded the broker's confirm; null if it has not
     */
    record OwnEvent(
            UUID eventId,
            String event,
            int lane,
            String state,
            @Nullable String reason,
            Instant writtenAt,
            @Nullable Instant confirmedAt) {}

    Backlog backlog() {
        return database.sql("SELECT count(*) AS events, max(age_seconds) AS oldest_seconds FROM waiting_event")
                .query(Backlog.class)
                .single();
    }

    /** By number. */
    List<Lane> lanes() {
        return database.sql("SELECT lane, owner FROM lane_owner ORDER BY lane")
                .query((row, n) -> new Lane(row.getInt("lane"), relay(row.getString("owner"))))
                .list();
    }

    /** In the order of writing. An event may be published between the two reads, so the second one counts. */
    List<OwnEvent> of(String aggregateType, String aggregateId) {
        List<OwnEvent> waiting = read("""
                SELECT event_id, event_type, lane, state, reason, written_at FROM waiting_event
                WHERE aggregate_type = :type AND aggregate_id = :id ORDER BY written_at DESC LIMIT :most
                """, aggregateType, aggregateId, OwnEvents::waiting);
        List<OwnEvent> confirmed = read("""
                SELECT event_id, event_type, lane, written_at, published_at FROM published_event
                WHERE %s ORDER BY published_at DESC LIMIT :most
                """.formatted(published), aggregateType, aggregateId, OwnEvents::confirmed);
        Map<UUID, OwnEvent> events = new HashMap<>();
        waiting.forEach(event -> events.put(event.eventId(), event));
        confirmed.forEach(event -> events.put(event.eventId(), event));
        return events.values().stream()
                .sorted(Comparator.comparing(OwnEvent::writtenAt))
                .toList();
    }

    private List<OwnEvent> read(String sql, String aggregateType, String aggregateId, RowMapper<OwnEvent> mapper) {
        return database.sql(sql)
                .param("type", aggregateType)
                .param("id", aggregateId)
                .param("most", MOST)
                .query(mapper)
                .list();
    }

    private static OwnEvent waiting(ResultSet row, int n) throws SQLException {
        return new OwnEvent(
                id(row),
                row.getString("event_type"),
                row.getInt("lane"),
                row.getString("state"),
                row.getString("reason"),
                time(row, "written_at"),
                null);
    }

    private static OwnEvent confirmed(ResultSet row, int n) throws SQLException {
        return new OwnEvent(
                id(row),
                row.getString("event_type"),
                row.getInt("lane"),
                "confirmed",
                null,
                time(row, "written_at"),
                time(row, "published_at"));
    }

    private static Instant time(ResultSet row, String column) throws SQLException {
        return row.getObject(column, OffsetDateTime.class).toInstant();
    }

    /** MariaDB stores ids as sixteen bytes. */
    private static UUID id(ResultSet row) throws SQLException {
        Object id = row.getObject("event_id");
        if (id instanceof byte[] stored) {
            ByteBuffer bytes = ByteBuffer.wrap(stored);
            return new UUID(bytes.getLong(), bytes.getLong());
        }
        return (UUID) id;
    }

    /** A lease names the relay's instance and, after a {@code #}, the life of its lanes on this source. */
    private static @Nullable String relay(@Nullable String owner) {
        int life = owner == null ? -1 : owner.lastIndexOf('#');
        return life < 0 ? owner : owner.substring(0, life);
    }
}
