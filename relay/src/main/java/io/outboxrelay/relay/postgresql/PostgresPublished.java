package io.outboxrelay.relay.postgresql;

import io.outboxrelay.relay.database.Failures.Note;
import io.outboxrelay.relay.database.Published;
import io.outboxrelay.relay.lane.Event;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;
import org.springframework.dao.DataAccessException;
import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.jdbc.core.namedparam.MapSqlParameterSource;
import org.springframework.jdbc.core.namedparam.NamedParameterJdbcTemplate;

/** The statements of a replay, each in a transaction of its own: the rows that they read never change. */
final class PostgresPublished implements Published {

    private final NamedParameterJdbcTemplate database;
    private final String schema;

    /**
     * @param schema database schema of the outbox
     * @param connections each statement takes one
     */
    PostgresPublished(String schema, DataSource connections) {
        this.schema = schema;
        this.database = new NamedParameterJdbcTemplate(new JdbcTemplate(connections));
    }

    @Override
    public Instant now() {
        return asked(() -> Objects.requireNonNull(database.queryForObject(
                        "SELECT clock_timestamp()", new MapSqlParameterSource(), OffsetDateTime.class)))
                .toInstant();
    }

    @Override
    public Extent extent(Selection selection, long after) {
        MapSqlParameterSource parameters = parameters(selection).addValue("after", after);
        String counted = in("SELECT count(*) FROM SCHEMA.outbox_published WHERE CONDITIONS", selection);
        return asked(() -> {
            long events = Objects.requireNonNull(database.queryForObject(counted, parameters, Long.class));
            return new Extent(events, events == 0 ? oldest() : null);
        });
    }

    private @Nullable Instant oldest() {
        return database
                .queryForList(
                        "SELECT published_at FROM SCHEMA.outbox_published ORDER BY id LIMIT 1"
                                .replace("SCHEMA", schema),
                        new MapSqlParameterSource(),
                        OffsetDateTime.class)
                .stream()
                .findFirst()
                .map(OffsetDateTime::toInstant)
                .orElse(null);
    }

    @Override
    public List<Event> next(Selection selection, long after, Limits limits) {
        String next = in("""
                SELECT id, event_id, aggregate_type, aggregate_id, event_type, bytes,
                       CASE WHEN bytes <= :largest THEN payload END, content_type, headers, occurred_at
                FROM (
                    SELECT b.*, sum(bytes) OVER (ORDER BY id ROWS UNBOUNDED PRECEDING) - bytes AS read_before
                    FROM (
                        SELECT *, octet_length(payload) AS bytes FROM SCHEMA.outbox_published
                        WHERE CONDITIONS
                        ORDER BY id LIMIT :most) AS b) AS r
                WHERE read_before < :bytes
                ORDER BY id
                """, selection);
        MapSqlParameterSource parameters = parameters(selection)
                .addValue("after", after)
                .addValue("largest", limits.largest())
                .addValue("most", limits.events())
                .addValue("bytes", limits.bytes());
        return asked(() -> database.query(next, parameters, (row, n) -> PostgresOutbox.event(row, null)));
    }

    @Override
    public Set<String> settling() {
        return new TreeSet<>(asked(
                () -> database.queryForList("""
                SELECT format('%s (pid %s, user %s, application "%s")', l.virtualtransaction, l.pid, a.usename,
                              a.application_name)
                FROM pg_locks l LEFT JOIN pg_stat_activity a ON a.pid = l.pid
                WHERE l.locktype = 'relation' AND l.mode = 'RowExclusiveLock' AND l.granted
                  AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
                  AND l.relation = 'SCHEMA.outbox_published'::regclass
                """.replace("SCHEMA", schema), new MapSqlParameterSource(), String.class)));
    }

    @Override
    public long note(String action, String what, long events, Note note) {
        return asked(() -> Objects.requireNonNull(database.queryForObject(
                """
                INSERT INTO SCHEMA.outbox_audit (who, action, what, events, reason)
                VALUES (:who, :action, :what, :events, :reason) RETURNING id
                """.replace("SCHEMA", schema),
                new MapSqlParameterSource("who", note.who())
                        .addValue("action", action)
                        .addValue("what", what)
                        .addValue("events", events)
                        .addValue("reason", note.reason()),
                Long.class)));
    }

    private static <T> T asked(Supplier<T> question) {
        try {
            return question.get();
        } catch (DataAccessException e) {
            throw PostgresFailures.unavailable(e);
        }
    }

    /** Only conditions that are given: a condition that may be absent would keep the planner from using an index. */
    private String in(String statement, Selection selection) {
        List<String> conditions = new ArrayList<>(List.of("id > :after"));
        add(conditions, "event_id = ANY (:events::uuid[])", selection.events().isEmpty() ? null : selection.events());
        add(conditions, "published_at >= :from", selection.from());
        add(conditions, "published_at < :to", selection.to());
        add(conditions, "event_type = :event_type", selection.eventType());
        add(conditions, "aggregate_type = :aggregate_type", selection.aggregateType());
        add(conditions, "aggregate_id = :aggregate_id", selection.aggregateId());
        return statement.replace("CONDITIONS", String.join(" AND ", conditions)).replace("SCHEMA", schema);
    }

    private static void add(List<String> conditions, String condition, @Nullable Object value) {
        if (value != null) {
            conditions.add(condition);
        }
    }

    private static MapSqlParameterSource parameters(Selection selection) {
        return new MapSqlParameterSource(
                        "events",
                        selection.events().stream()
                                .map(id -> id.toString().toLowerCase(Locale.ROOT))
                                .collect(Collectors.joining(",", "{", "}")))
                .addValue("from", time(selection.from()))
                .addValue("to", time(selection.to()))
                .addValue("event_type", selection.eventType())
                .addValue("aggregate_type", selection.aggregateType())
                .addValue("aggregate_id", selection.aggregateId());
    }

    private static @Nullable OffsetDateTime time(@Nullable Instant instant) {
        return instant == null ? null : instant.atOffset(ZoneOffset.UTC);
    }
}
