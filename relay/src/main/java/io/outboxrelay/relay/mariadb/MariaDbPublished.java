package io.outboxrelay.relay.mariadb;

import io.outboxrelay.relay.database.Failures.Note;
import io.outboxrelay.relay.database.Published;
import io.outboxrelay.relay.lane.Aggregate;
import io.outboxrelay.relay.lane.Event;
import java.time.Instant;
import java.time.LocalDateTime;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.function.Supplier;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;
import org.springframework.dao.DataAccessException;
import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.jdbc.core.namedparam.MapSqlParameterSource;
import org.springframework.jdbc.core.namedparam.NamedParameterJdbcTemplate;
import org.springframework.jdbc.support.GeneratedKeyHolder;
import org.springframework.jdbc.support.JdbcTransactionManager;
import org.springframework.transaction.TransactionDefinition;
import org.springframework.transaction.TransactionException;
import org.springframework.transaction.support.TransactionTemplate;

/** The statements of a replay, each in a transaction of its own: the rows that they read never change. */
final class MariaDbPublished implements Published {

    private final String prefix;
    private final String limits;
    private final NamedParameterJdbcTemplate database;
    private final TransactionTemplate transaction;

    /**
     * @param schema database of the outbox; {@code public} for the one that the connections are in
     * @param connections each statement takes one
     * @param mySql whether it is MySQL
     */
    MariaDbPublished(String schema, DataSource connections, boolean mySql) {
        this.prefix = Sql.prefix(schema);
        this.limits = Sql.commandLimits(mySql);
        this.database = new NamedParameterJdbcTemplate(new JdbcTemplate(connections));
        this.transaction = new TransactionTemplate(new JdbcTransactionManager(connections));
        this.transaction.setIsolationLevel(TransactionDefinition.ISOLATION_READ_COMMITTED);
    }

    @Override
    public Instant now() {
        return asked(() -> Objects.requireNonNull(database.queryForObject(
                        "SELECT utc_timestamp(6)", new MapSqlParameterSource(), LocalDateTime.class)))
                .toInstant(ZoneOffset.UTC);
    }

    @Override
    public Extent extent(Selection selection, long after) {
        String counted = in("""
                SELECT (SELECT count(*) FROM SCHEMA.outbox_published WHERE CONDITIONS) AS events,
                       (SELECT min(published_at) FROM SCHEMA.outbox_published) AS oldest
                """, selection);
        return asked(() -> Objects.requireNonNull(database.queryForObject(
                counted,
                parameters(selection).addValue("after", after),
                (row, n) -> new Extent(row.getLong("events"), Sql.optionalInstant(row, "oldest")))));
    }

    @Override
    public List<Event> next(Selection selection, long after, Limits limits) {
        String next = in("""
                SELECT p.id, p.event_id, p.aggregate_type, p.aggregate_id, p.event_type, w.bytes,
                       CASE WHEN w.bytes <= :largest THEN p.payload END AS payload, p.content_type,
                       CASE WHEN octet_length(p.headers) <= 65536 THEN p.headers END AS headers, p.occurred_at
                FROM (
                    SELECT id, bytes, sum(bytes) OVER (ORDER BY id ROWS UNBOUNDED PRECEDING) - bytes AS read_before
                    FROM (
                        SELECT id, octet_length(payload) AS bytes FROM SCHEMA.outbox_published
                        WHERE CONDITIONS
                        ORDER BY id LIMIT :most) b) w
                STRAIGHT_JOIN SCHEMA.outbox_published p FORCE INDEX (PRIMARY) ON p.id = w.id
                WHERE w.read_before < :bytes
                ORDER BY w.id
                """, selection);
        MapSqlParameterSource parameters = parameters(selection)
                .addValue("after", after)
                .addValue("largest", limits.largest())
                .addValue("most", limits.events())
                .addValue("bytes", limits.bytes());
        return asked(() -> database.query(next, parameters, (row, n) -> MariaDbOutbox.event(row, null)));
    }

    /** Who settles holds the row of its lane, shared: whoever has had all rows for itself has waited for all of them. */
    @Override
    public Set<String> settling() {
        asked(() -> transaction.execute(status -> {
            database.getJdbcTemplate().execute(limits);
            database.queryForList(
                    "SELECT lane FROM SCHEMA.outbox_lane FORCE INDEX (PRIMARY) ORDER BY lane FOR UPDATE"
                            .replace("SCHEMA.", prefix),
                    new MapSqlParameterSource(),
                    Integer.class);
            return true;
        }));
        return Set.of();
    }

    @Override
    public long note(String action, String what, long events, Note note) {
        return asked(() -> {
            GeneratedKeyHolder id = new GeneratedKeyHolder();
            database.update(
                    """
                    INSERT INTO SCHEMA.outbox_audit (who, action, what, events, reason)
                    VALUES (:who, :action, :what, :events, :reason)
                    """.replace("SCHEMA.", prefix),
                    new MapSqlParameterSource("who", note.who())
                            .addValue("action", action)
                            .addValue("what", what)
                            .addValue("events", events)
                            .addValue("reason", note.reason()),
                    id);
            return Objects.requireNonNull(id.getKey()).longValue();
        });
    }

    private static <T> T asked(Supplier<@Nullable T> question) {
        try {
            return Objects.requireNonNull(question.get());
        } catch (DataAccessException e) {
            throw MariaDbFailures.unavailable(e);
        } catch (TransactionException e) {
            throw MariaDbFailures.unavailable(e);
        }
    }

    private String in(String statement, Selection selection) {
        List<String> conditions = new ArrayList<>(List.of("id > :after"));
        add(conditions, "event_id IN (:events)", selection.events().isEmpty() ? null : selection.events());
        add(conditions, "published_at >= :from", selection.from());
        add(conditions, "published_at < :to", selection.to());
        add(conditions, "event_type = :event_type", selection.eventType());
        add(conditions, "aggregate_type = :aggregate_type", selection.aggregateType());
        add(conditions, "aggregate_id = :aggregate_id", selection.aggregateId());
        if (selection.aggregateType() != null && selection.aggregateId() != null) {
            conditions.add("aggregate = :aggregate");
        }
        return statement.replace("CONDITIONS", String.join(" AND ", conditions)).replace("SCHEMA.", prefix);
    }

    private static void add(List<String> conditions, String condition, @Nullable Object value) {
        if (value != null) {
            conditions.add(condition);
        }
    }

    private static MapSqlParameterSource parameters(Selection selection) {
        MapSqlParameterSource parameters = new MapSqlParameterSource(
                        "events", selection.events().stream().map(Sql::bytes).toList())
                .addValue("from", time(selection.from()))
                .addValue("to", time(selection.to()))
                .addValue("event_type", selection.eventType())
                .addValue("aggregate_type", selection.aggregateType())
                .addValue("aggregate_id", selection.aggregateId());
        String type = selection.aggregateType();
        String id = selection.aggregateId();
        if (type != null && id != null) {
            parameters.addValue("aggregate", Sql.key(new Aggregate(type, id)));
        }
        return parameters;
    }

    private static @Nullable LocalDateTime time(@Nullable Instant instant) {
        return instant == null ? null : LocalDateTime.ofInstant(instant, ZoneOffset.UTC);
    }
}
