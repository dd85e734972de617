package io.outboxrelay.relay.database;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.outboxrelay.relay.database.Failures.Address;
import io.outboxrelay.relay.database.Failures.Audited;
import io.outboxrelay.relay.database.Failures.Failure;
import io.outboxrelay.relay.database.Failures.Filter;
import io.outboxrelay.relay.database.Failures.Group;
import io.outboxrelay.relay.database.Failures.Lane;
import io.outboxrelay.relay.database.Failures.Note;
import io.outboxrelay.relay.database.Failures.Pause;
import io.outboxrelay.relay.database.Failures.Retained;
import io.outboxrelay.relay.database.Failures.Route;
import io.outboxrelay.relay.database.Failures.Rows;
import io.outboxrelay.relay.database.Failures.Unpublished;
import io.outboxrelay.relay.database.OutboxStore.StateCount;
import io.outboxrelay.relay.database.Published.Extent;
import io.outboxrelay.relay.database.Published.Limits;
import io.outboxrelay.relay.database.Published.Selection;
import io.outboxrelay.relay.database.SentHistories.Reach;
import io.outboxrelay.relay.lane.Event;
import io.outboxrelay.relay.lane.Event.Aggregate;
import io.outboxrelay.relay.lane.FailurePolicy.State;
import java.nio.ByteBuffer;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDateTime;
import java.time.ZoneOffset;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.stream.Stream;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;
import org.springframework.dao.DataAccessException;
import org.springframework.dao.DuplicateKeyException;
import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.jdbc.core.RowMapper;
import org.springframework.jdbc.core.namedparam.MapSqlParameterSource;
import org.springframework.jdbc.core.namedparam.NamedParameterJdbcTemplate;
import org.springframework.jdbc.support.GeneratedKeyHolder;

/** What commands ask of MariaDB and MySQL. */
final class MariaDbCommands implements CommandActs {

    private static final Rows ROWS = new Rows(MariaDbOutbox.EVENTS);
    private static final TypeReference<List<String>> NAMES = new TypeReference<>() {};
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final long MICROS_PER_MILLI = 1_000;

    private static final int COUNTING_SECONDS = 60;

    static final String MATCHES = """
        state IN (:states)
          AND (:any_event OR event_id IN (:events))
          AND (:reason IS NULL OR reason = :reason)
          AND (:event_type IS NULL OR event_type = :event_type)
          AND (:aggregate_type IS NULL OR aggregate_type = :aggregate_type)
          AND (:aggregate_id IS NULL OR aggregate_id = :aggregate_id)
          AND (:any_age OR coalesce(first_failed_at, occurred_at)
                           < utc_timestamp(6) - INTERVAL :age_micros MICROSECOND)\
        """;

    /** Reads the lane up to the event. */
    private static final String BEFORE = """
            (SELECT count(*) FROM SCHEMA.outbox b
             WHERE b.lane = o.lane AND b.position < o.position) AS before_in_lane,
            (SELECT count(*) FROM SCHEMA.outbox b
             WHERE b.lane = o.lane AND b.position < o.position AND b.aggregate_type = o.aggregate_type
               AND b.aggregate_id = o.aggregate_id) AS before_in_aggregate""";

    /**
     * Where all of an aggregate's events are read anyway; their places in the lane would cost a look at it for each.
     */
    private static final String RANK =
            "NULL AS before_in_lane, row_number() OVER (ORDER BY o.position) - 1 AS before_in_aggregate";

    private static final String OF_AGGREGATE = "aggregate_type = :aggregate_type AND aggregate_id = :aggregate_id";

    /** The rights of the role outbox_relay, each with a statement that needs it and touches no row. */
    private static final List<Right> RIGHTS = List.of(
            new Right("SELECT on outbox", "SELECT 1 FROM SCHEMA.outbox WHERE 1 = 0"),
            new Right("DELETE on outbox", "DELETE FROM SCHEMA.outbox WHERE 1 = 0"),
            new Right("SELECT on outbox_lane", "SELECT 1 FROM SCHEMA.outbox_lane WHERE 1 = 0"),
            new Right("UPDATE on outbox_lane", "UPDATE SCHEMA.outbox_lane SET epoch = epoch WHERE 1 = 0"),
            new Right("SELECT on outbox_instance", "SELECT 1 FROM SCHEMA.outbox_instance WHERE 1 = 0"),
            new Right("INSERT on outbox_instance", """
                INSERT INTO SCHEMA.outbox_instance (instance, alive_until)
                SELECT instance, alive_until FROM SCHEMA.outbox_instance WHERE 1 = 0
                """),
            new Right(
                    "UPDATE on outbox_instance",
                    "UPDATE SCHEMA.outbox_instance SET alive_until = alive_until WHERE 1 = 0"),
            new Right("DELETE on outbox_instance", "DELETE FROM SCHEMA.outbox_instance WHERE 1 = 0"),
            new Right("SELECT on outbox_failure", "SELECT 1 FROM SCHEMA.outbox_failure WHERE 1 = 0"),
            new Right("INSERT on outbox_failure", """
                INSERT INTO SCHEMA.outbox_failure (lane, position, event_id, aggregate_type, aggregate_id, event_type,
                    payload, content_type, headers, occurred_at, state)
                SELECT lane, position, event_id, aggregate_type, aggregate_id, event_type, payload, content_type,
                    headers, occurred_at, state
                FROM SCHEMA.outbox_failure WHERE 1 = 0
                """),
            new Right("UPDATE on outbox_failure", "UPDATE SCHEMA.outbox_failure SET attempts = attempts WHERE 1 = 0"),
            new Right("DELETE on outbox_failure", "DELETE FROM SCHEMA.outbox_failure WHERE 1 = 0"),
            new Right("SELECT on outbox_pause", "SELECT 1 FROM SCHEMA.outbox_pause WHERE 1 = 0"));

    private static final List<Right> RIGHTS_OF_RETAINING = List.of(
            new Right("INSERT on outbox_published", """
                INSERT INTO SCHEMA.outbox_published (lane, position, event_id, aggregate_type, aggregate_id, event_type,
                    payload, content_type, headers, occurred_at)
                SELECT lane, position, event_id, aggregate_type, aggregate_id, event_type, payload, content_type,
                    headers, occurred_at
                FROM SCHEMA.outbox_published WHERE 1 = 0
                """),
            new Right("DELETE on outbox_published", "DELETE FROM SCHEMA.outbox_published WHERE 1 = 0"));

    private record Right(String name, String statement) {}

    private final String prefix;
    private final boolean mySql;
    private final NamedParameterJdbcTemplate database;
    private final JdbcTemplate counting;

    MariaDbCommands(String schema, DataSource connections, boolean mySql) {
        this.prefix = MariaDbOutbox.prefix(schema);
        this.mySql = mySql;
        this.database = new NamedParameterJdbcTemplate(new JdbcTemplate(connections));
        this.counting = new JdbcTemplate(connections);
        this.counting.setQueryTimeout(COUNTING_SECONDS);
    }

    @Override
    public void limit() {
        database.getJdbcTemplate()
                .execute("SET innodb_lock_wait_timeout = 10, lock_wait_timeout = 10, "
                        + (mySql ? "max_execution_time = 10000" : "max_statement_time = 10"));
    }

    /** https://mariadb.com/kb/en/mariadb-error-code-reference/; 3024 is MySQL's. */
    @Override
    public Trouble trouble(SQLException error) {
        return switch (error.getErrorCode()) {
            case 1213 -> Trouble.DEADLOCK;
            case 1142, 1143, 1044, 1227 -> Trouble.NO_RIGHT; // to a table, a column, a database, an operation
            case 1205, 1969, 3024 -> Trouble.TOO_LONG;
            default -> Trouble.OTHER;
        };
    }

    @Override
    public long note(String action, String what, long events, Note note) {
        GeneratedKeyHolder id = new GeneratedKeyHolder();
        database.update(
                in("""
                INSERT INTO SCHEMA.outbox_audit (who, action, what, events, reason)
                VALUES (:who, :action, :what, :events, :reason)
                """),
                new MapSqlParameterSource("who", note.who())
                        .addValue("action", action)
                        .addValue("what", what)
                        .addValue("events", events)
                        .addValue("reason", note.reason()),
                id);
        return Objects.requireNonNull(id.getKey()).longValue();
    }

    @Override
    public Map<State, Long> countByState(Filter filter) {
        Map<State, Long> counts = new EnumMap<>(State.class);
        database.query(
                in("SELECT state, count(*) AS events FROM SCHEMA.outbox_failure WHERE MATCHES GROUP BY state"),
                parameters(filter),
                row -> {
                    counts.put(State.of(row.getString("state")), row.getLong("events"));
                });
        return counts;
    }

    /**
     * Counts per aggregate, by its index: one aggregate may have thousands of waiting events that no filter selects.
     */
    @Override
    public long countWaitingBehind(Filter filter) {
        return number("""
                SELECT coalesce(sum((
                    SELECT count(*) FROM SCHEMA.outbox_failure w FORCE INDEX (outbox_failure_aggregate_state)
                    WHERE w.aggregate = meant.aggregate AND w.state = 'waiting')), 0)
                FROM (SELECT DISTINCT aggregate FROM SCHEMA.outbox_failure WHERE blocking = 1 AND MATCHES) meant
                """, parameters(filter));
    }

    @Override
    public List<Group> countByReason(Filter filter) {
        return database.query(in("""
                SELECT coalesce(reason, state) AS why, aggregate_type, event_type, count(*) AS events
                FROM SCHEMA.outbox_failure WHERE MATCHES
                GROUP BY why, aggregate_type, event_type
                ORDER BY events DESC, why, aggregate_type, event_type LIMIT :most
                """), parameters(filter).addValue("most", Failures.MOST_GROUPS), Rows::group);
    }

    @Override
    public List<Failure> list(Filter filter, int limit) {
        return failures(
                "WHERE MATCHES ORDER BY id LIMIT :limit", parameters(filter).addValue("limit", limit));
    }

    @Override
    public List<Failure> find(UUID event) {
        return failures("WHERE event_id = :event ORDER BY id LIMIT 1", id(event));
    }

    @Override
    public Optional<Failure> firstOfAggregate(Address address) {
        return failures("""
                WHERE blocking = 1
                  AND aggregate = unhex(sha2(concat(:aggregate_type, char(31 USING utf8mb4), :aggregate_id), 256))
                ORDER BY id LIMIT 1
                """, parameters(address)).stream().findFirst();
    }

    private List<Failure> failures(String which, MapSqlParameterSource parameters) {
        return database.query(
                in("""
                SELECT event_id, lane, position, aggregate_type, aggregate_id, event_type,
                       octet_length(payload) AS payload_bytes, content_type, json_keys(headers) AS header_names,
                       occurred_at, state, blocking, attempts, failures, next_attempt_at, first_failed_at, failed_at,
                       reason, detail, utc_timestamp(6) AS read_at,
                       CASE WHEN blocking THEN
                           (SELECT count(*) FROM SCHEMA.outbox_failure o FORCE INDEX (outbox_failure_aggregate)
                            WHERE o.aggregate = f.aggregate AND o.blocking = 1 AND o.id < f.id) ELSE 0 END AS before_it,
                       CASE WHEN blocking THEN
                           (SELECT count(*) FROM SCHEMA.outbox_failure o FORCE INDEX (outbox_failure_aggregate)
                            WHERE o.aggregate = f.aggregate AND o.blocking = 1 AND o.id > f.id) ELSE 0 END AS behind_it
                FROM SCHEMA.outbox_failure f
                """ + which),
                parameters,
                (row, n) -> ROWS.failure(row, Rows.address(row), headerNames(row.getString("header_names"))));
    }

    /** Headers that are no object, which MariaDB accepts, have no names. */
    static List<String> headerNames(@Nullable String json) {
        try {
            return json == null ? List.of() : JSON.readValue(json, NAMES);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("The names of headers are not a list of names", e);
        }
    }

    @Override
    public long count(Filter filter) {
        return number("SELECT count(*) FROM SCHEMA.outbox_failure WHERE MATCHES", parameters(filter));
    }

    @Override
    public List<Candidate> candidates(Filter filter) {
        return database.query(
                in("SELECT id, lane FROM SCHEMA.outbox_failure WHERE MATCHES ORDER BY id"),
                parameters(filter),
                (row, n) -> new Candidate(row.getLong("id"), row.getInt("lane")));
    }

    @Override
    public void lock(List<Candidate> candidates) {
        database.query(
                in("SELECT lane FROM SCHEMA.outbox_lane FORCE INDEX (PRIMARY)"
                        + " WHERE lane IN (:lanes) ORDER BY lane FOR UPDATE"),
                new MapSqlParameterSource(
                        "lanes",
                        candidates.stream().map(Candidate::lane).distinct().toList()),
                row -> {});
    }

    @Override
    public List<String> retry(Filter filter, List<Long> rows) {
        return change("""
                UPDATE SCHEMA.outbox_failure
                SET state = 'waiting', blocking = true, attempts = 0, failures = 0, next_attempt_at = NULL,
                    returned_since = NULL
                WHERE id IN (:rows)
                """, filter, rows);
    }

    @Override
    public List<String> bringForward(Filter filter, List<Long> rows) {
        return change(
                "UPDATE SCHEMA.outbox_failure SET next_attempt_at = utc_timestamp(6) WHERE id IN (:rows)",
                filter,
                rows);
    }

    @Override
    public List<String> discard(Filter filter, List<Long> rows) {
        return change("DELETE FROM SCHEMA.outbox_failure WHERE id IN (:rows)", filter, rows);
    }

    /** Aggregates by their keys as the database has them: a name that is not valid text has another hash in Java. */
    private List<String> change(String statement, Filter filter, List<Long> rows) {
        List<Touched> touched = database.query(
                in("""
                SELECT id, event_id, aggregate FROM SCHEMA.outbox_failure
                WHERE id IN (:rows) AND MATCHES ORDER BY id
                """),
                parameters(filter).addValue("rows", rows),
                (row, n) -> new Touched(
                        row.getLong("id"),
                        MariaDbOutbox.uuid(row.getBytes("event_id")),
                        ByteBuffer.wrap(row.getBytes("aggregate"))));
        if (!touched.isEmpty()) {
            database.update(
                    in(statement),
                    new MapSqlParameterSource(
                            "rows", touched.stream().map(Touched::id).toList()));
            List<byte[]> aggregates = touched.stream()
                    .map(Touched::aggregate)
                    .distinct()
                    .map(ByteBuffer::array)
                    .toList();
            MariaDbOutbox.holdBack(database.getJdbcTemplate(), prefix, aggregates);
            MariaDbOutbox.moveUp(database.getJdbcTemplate(), prefix, aggregates);
        }
        return touched.stream().map(one -> one.event().toString()).toList();
    }

    private record Touched(long id, UUID event, ByteBuffer aggregate) {}

    /** The error of a duplicate ends its statement and nothing else. */
    @Override
    public boolean pause(Route route, Note note) {
        try {
            return database.update(
                            in("""
                            INSERT INTO SCHEMA.outbox_pause (aggregate_type, event_type, paused_by, reason)
                            VALUES (:aggregate_type, :event_type, :who, :reason)
                            """),
                            parameters(route).addValue("who", note.who()).addValue("reason", note.reason()))
                    > 0;
        } catch (DuplicateKeyException e) {
            return false;
        }
    }

    @Override
    public boolean resume(Route route) {
        return database.update(in("""
                        DELETE FROM SCHEMA.outbox_pause
                        WHERE aggregate_type = :aggregate_type AND event_type = :event_type
                        """), parameters(route)) > 0;
    }

    @Override
    public List<Pause> pauses() {
        return database.query(in("""
                SELECT aggregate_type, event_type, paused_at, paused_by, reason FROM SCHEMA.outbox_pause
                ORDER BY aggregate_type <> '*', event_type <> '*', aggregate_type, event_type
                """), ROWS::pause);
    }

    @Override
    public List<Pause> pausesOf(Address address) {
        return database.query(in("""
                SELECT aggregate_type, event_type, paused_at, paused_by, reason FROM SCHEMA.outbox_pause
                WHERE aggregate_type IN ('*', :aggregate_type) AND event_type IN ('*', :event_type) ORDER BY paused_at
                """), parameters(address), ROWS::pause);
    }

    /** No index helps: the outbox is kept small by publishing it, and another index would slow down its writers. */
    @Override
    public Optional<Unpublished> unpublished(UUID event, boolean unreadable) {
        return unpublished("event_id = :event", id(event), 1, BEFORE).stream().findFirst();
    }

    @Override
    public List<Unpublished> unpublishedOf(String aggregateType, String aggregateId, int limit, boolean unreadable) {
        return unpublished(OF_AGGREGATE, parameters(aggregateType, aggregateId), limit, RANK);
    }

    @Override
    public long countUnpublishedOf(String aggregateType, String aggregateId) {
        return number(
                "SELECT count(*) FROM SCHEMA.outbox WHERE " + OF_AGGREGATE, parameters(aggregateType, aggregateId));
    }

    private static MapSqlParameterSource parameters(String aggregateType, String aggregateId) {
        return new MapSqlParameterSource("aggregate_type", aggregateType).addValue("aggregate_id", aggregateId);
    }

    private List<Unpublished> unpublished(String which, MapSqlParameterSource parameters, int limit, String before) {
        return database.query(
                in("""
                SELECT o.event_id, o.lane, o.position, aggregate_type, aggregate_id, event_type,
                       octet_length(payload) AS payload_bytes, occurred_at, utc_timestamp(6) AS read_at,
                       BEFORE
                FROM SCHEMA.outbox o WHERE WHICH ORDER BY o.position LIMIT :limit
                """.replace("WHICH", which).replace("BEFORE", before)),
                parameters.addValue("limit", limit),
                ROWS::unpublished);
    }

    @Override
    public Optional<Retained> retained(UUID event, boolean unreadable) {
        return first("""
                SELECT lane, position, aggregate_type, aggregate_id, event_type, published_at,
                       utc_timestamp(6) AS read_at
                FROM SCHEMA.outbox_published WHERE event_id = :event ORDER BY id LIMIT 1
                """, id(event), ROWS::retained);
    }

    @Override
    public Optional<Lane> lane(int lane) {
        return first("""
                SELECT lane, owner, epoch,
                       coalesce(greatest(0, timestampdiff(MICROSECOND, utc_timestamp(6), lease_until)), 0) / 1e6
                           AS lease_seconds
                FROM SCHEMA.outbox_lane WHERE lane = :lane
                """, new MapSqlParameterSource("lane", lane), Rows::lane);
    }

    @Override
    public @Nullable List<Audited> audit(UUID event) {
        try {
            return database.query(in("""
                    SELECT id, at, db_user, who, action, what, events, reason
                    FROM SCHEMA.outbox_audit WHERE locate(:text, what) > 0 ORDER BY id
                    """), new MapSqlParameterSource("text", event.toString()), ROWS::audited);
        } catch (DataAccessException e) {
            if (CommandTransactions.trouble(e, this) == Trouble.NO_RIGHT) {
                return null;
            }
            throw e;
        }
    }

    @Override
    public List<Audited> audit(@Nullable Instant since, int limit) {
        return database.query(
                in("""
                SELECT id, at, db_user, who, action, what, events, reason FROM SCHEMA.outbox_audit
                WHERE :since IS NULL OR at >= :since
                ORDER BY id DESC LIMIT :limit
                """), new MapSqlParameterSource("since", time(since)).addValue("limit", limit), ROWS::audited);
    }

    /** These databases do not say what a user may do by its roles: each statement is tried, on no row. */
    @Override
    public List<String> missingRights(boolean retaining) {
        return Stream.concat(RIGHTS.stream(), retaining ? RIGHTS_OF_RETAINING.stream() : Stream.empty())
                .filter(right -> isDenied(right.statement()))
                .map(Right::name)
                .toList();
    }

    private boolean isDenied(String statement) {
        try {
            database.getJdbcTemplate().execute(in(statement));
            return false;
        } catch (DataAccessException e) {
            if (CommandTransactions.trouble(e, this) == Trouble.NO_RIGHT) {
                return true;
            }
            throw e;
        }
    }

    @Override
    public Instant now() {
        return Objects.requireNonNull(
                        database.getJdbcTemplate().queryForObject("SELECT utc_timestamp(6)", LocalDateTime.class))
                .toInstant(ZoneOffset.UTC);
    }

    @Override
    public Extent extent(Selection selection, long after) {
        return first(
                        """
                        SELECT (SELECT count(*) FROM SCHEMA.outbox_published WHERE CONDITIONS) AS events,
                               (SELECT min(published_at) FROM SCHEMA.outbox_published) AS oldest
                        """.replace("CONDITIONS", conditions(selection)),
                        parameters(selection).addValue("after", after),
                        (row, n) -> new Extent(row.getLong("events"), ROWS.time(row, "oldest")))
                .orElseThrow();
    }

    @Override
    public List<Event> next(Selection selection, long after, Limits limits) {
        return database.query(
                in("""
                SELECT p.id, p.event_id, p.aggregate_type, p.aggregate_id, p.event_type, w.bytes,
                       CASE WHEN w.bytes <= :largest THEN p.payload END AS payload, p.content_type,
                       CASE WHEN octet_length(p.headers) <= 65536 THEN p.headers END AS headers, p.occurred_at,
                       p.lane
                FROM (
                    SELECT id, bytes, sum(bytes) OVER (ORDER BY id ROWS UNBOUNDED PRECEDING) - bytes AS read_before
                    FROM (
                        SELECT id, octet_length(payload) AS bytes FROM SCHEMA.outbox_published
                        WHERE CONDITIONS
                        ORDER BY id LIMIT :most) b) w
                STRAIGHT_JOIN SCHEMA.outbox_published p FORCE INDEX (PRIMARY) ON p.id = w.id
                WHERE w.read_before < :bytes
                ORDER BY w.id
                """.replace("CONDITIONS", conditions(selection))),
                parameters(selection)
                        .addValue("after", after)
                        .addValue("largest", limits.largest())
                        .addValue("most", limits.events())
                        .addValue("bytes", limits.bytes()),
                (row, n) -> MariaDbOutbox.EVENTS.event(row, null));
    }

    private static String conditions(Selection selection) {
        StringBuilder conditions = new StringBuilder("id > :after");
        add(conditions, "event_id IN (:events)", selection.events().isEmpty() ? null : selection.events());
        add(conditions, "published_at >= :from", selection.from());
        add(conditions, "published_at < :to", selection.to());
        add(conditions, "event_type = :event_type", selection.eventType());
        add(conditions, "aggregate_type = :aggregate_type", selection.aggregateType());
        add(conditions, "aggregate_id = :aggregate_id", selection.aggregateId());
        add(conditions, "aggregate = :aggregate", aggregate(selection));
        return conditions.toString();
    }

    private static void add(StringBuilder conditions, String condition, @Nullable Object value) {
        if (value != null) {
            conditions.append(" AND ").append(condition);
        }
    }

    private static MapSqlParameterSource parameters(Selection selection) {
        return new MapSqlParameterSource(
                        "events",
                        selection.events().stream().map(MariaDbOutbox::bytes).toList())
                .addValue("from", time(selection.from()))
                .addValue("to", time(selection.to()))
                .addValue("event_type", selection.eventType())
                .addValue("aggregate_type", selection.aggregateType())
                .addValue("aggregate_id", selection.aggregateId())
                .addValue("aggregate", aggregate(selection));
    }

    private static byte @Nullable [] aggregate(Selection selection) {
        String type = selection.aggregateType();
        String id = selection.aggregateId();
        return type == null || id == null ? null : MariaDbOutbox.key(new Aggregate(type, id));
    }

    private static @Nullable LocalDateTime time(@Nullable Instant instant) {
        return instant == null ? null : LocalDateTime.ofInstant(instant, ZoneOffset.UTC);
    }

    /**
     * A transaction that settles holds the row of its lane, shared: having locked all rows means it has waited for all.
     */
    @Override
    public Set<String> settling() {
        database.getJdbcTemplate()
                .queryForList(
                        in("SELECT lane FROM SCHEMA.outbox_lane FORCE INDEX (PRIMARY) ORDER BY lane FOR UPDATE"),
                        Integer.class);
        return Set.of();
    }

    @Override
    public Reach reach(Selection selection, long after, long upTo) {
        return first(
                        """
                        SELECT (SELECT count(*) FROM SCHEMA.outbox_published
                                WHERE CONDITIONS AND id <= :up_to) AS events,
                               (SELECT published_at FROM SCHEMA.outbox_published ORDER BY id LIMIT 1) AS oldest
                        """.replace("CONDITIONS", conditions(selection)),
                        parameters(selection).addValue("after", after).addValue("up_to", upTo),
                        (row, n) -> new Reach(row.getLong("events"), ROWS.time(row, "oldest")))
                .orElseThrow();
    }

    @Override
    public Rows rows() {
        return ROWS;
    }

    @Override
    public Object bound(UUID id) {
        return MariaDbOutbox.bytes(id);
    }

    @Override
    public int sentAll(String queue) {
        return database.update(
                in("UPDATE SCHEMA.outbox_subscription SET completed_at = utc_timestamp(6) WHERE queue = :queue"),
                new MapSqlParameterSource("queue", queue));
    }

    @Override
    public List<LaneAndLag> lanes() {
        return counting.query(in("""
                SELECT l.lane, l.owner, l.epoch, coalesce(events, 0) AS events,
                       coalesce(greatest(0, timestampdiff(MICROSECOND, utc_timestamp(6), lease_until)), 0) / 1e6
                           AS lease_seconds,
                       coalesce(greatest(0, lag_micros), 0) / 1e6 AS lag_seconds
                  FROM SCHEMA.outbox_lane l
                  LEFT JOIN (SELECT lane, count(*) AS events,
                                    max(timestampdiff(MICROSECOND, occurred_at, utc_timestamp(6))) AS lag_micros
                               FROM SCHEMA.outbox GROUP BY lane) backlog ON backlog.lane = l.lane
                 ORDER BY l.lane
                """), Overview::lane);
    }

    @Override
    public List<String> instances() {
        return counting.queryForList(in("""
                SELECT instance FROM SCHEMA.outbox_instance WHERE alive_until > utc_timestamp(6) ORDER BY instance
                """), String.class);
    }

    @Override
    public List<StateCount> countByState() {
        return counting.query(in("""
                SELECT state, count(*) AS events,
                       max(timestampdiff(MICROSECOND, occurred_at, utc_timestamp(6))) / 1e6 AS oldest_seconds
                FROM SCHEMA.outbox_failure GROUP BY state
                """), StateCount::read);
    }

    @Override
    public List<Overview.Pause> pausesNow() {
        return counting.query(in("""
                SELECT aggregate_type, event_type, paused_by, reason,
                       timestampdiff(MICROSECOND, paused_at, utc_timestamp(6)) / 1e6 AS paused_seconds
                  FROM SCHEMA.outbox_pause ORDER BY aggregate_type, event_type
                """), Overview::pause);
    }

    private long number(String statement, MapSqlParameterSource parameters) {
        return Objects.requireNonNull(database.queryForObject(in(statement), parameters, Long.class));
    }

    private <T extends Object> Optional<T> first(
            String statement, MapSqlParameterSource parameters, RowMapper<T> mapper) {
        return database.query(in(statement), parameters, mapper).stream().findFirst();
    }

    private static MapSqlParameterSource id(UUID event) {
        return new MapSqlParameterSource("event", MariaDbOutbox.bytes(event));
    }

    static MapSqlParameterSource parameters(Filter filter) {
        Duration age = filter.olderThan() == null ? Duration.ZERO : filter.olderThan();
        return new MapSqlParameterSource()
                .addValue("any_event", filter.events().isEmpty())
                .addValue(
                        "events",
                        orNone(
                                filter.events().stream()
                                        .map(MariaDbOutbox::bytes)
                                        .toList(),
                                new byte[0]))
                .addValue(
                        "states",
                        orNone(filter.states().stream().map(State::toString).toList(), ""))
                .addValue("reason", filter.reason())
                .addValue("event_type", filter.eventType())
                .addValue("aggregate_type", filter.aggregateType())
                .addValue("aggregate_id", filter.aggregateId())
                .addValue("any_age", filter.olderThan() == null)
                .addValue("age_micros", age.toMillis() * MICROS_PER_MILLI);
    }

    /** A list in SQL has at least one member. */
    private static <T> List<T> orNone(List<T> values, T none) {
        return values.isEmpty() ? List.of(none) : values;
    }

    private static MapSqlParameterSource parameters(Route route) {
        return new MapSqlParameterSource("aggregate_type", route.aggregateType())
                .addValue("event_type", route.eventType());
    }

    private static MapSqlParameterSource parameters(Address address) {
        return new MapSqlParameterSource("aggregate_type", address.aggregateType())
                .addValue("aggregate_id", address.aggregateId())
                .addValue("event_type", address.eventType());
    }

    /** Puts in the database, which is the only thing that cannot be bound, and what several statements share. */
    @Override
    public String in(String statement) {
        return statement.replace("MATCHES", MATCHES).replace("SCHEMA.", prefix);
    }
}
