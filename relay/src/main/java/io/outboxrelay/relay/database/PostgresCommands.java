package io.outboxrelay.relay.database;

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
import io.outboxrelay.relay.lane.FailurePolicy.State;
import java.nio.charset.StandardCharsets;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.UUID;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;
import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.jdbc.core.RowMapper;
import org.springframework.jdbc.core.namedparam.MapSqlParameterSource;
import org.springframework.jdbc.core.namedparam.NamedParameterJdbcTemplate;

/**
 * What commands ask of PostgreSQL. Texts are read as bytes, since a text that is not valid UTF-8 would make the server
 * refuse the whole answer; see {@link #in}.
 */
final class PostgresCommands implements CommandActs {

    private static final Rows ROWS = new Rows(PostgresOutbox.EVENTS);

    /** Counting a backlog of millions takes seconds: 300,000 rows a second were measured. */
    private static final int COUNTING_SECONDS = 60;

    static final String MATCHES = """
        state = ANY (CAST(:states AS text[]))
          AND (cardinality(CAST(:events AS uuid[])) = 0 OR event_id = ANY (CAST(:events AS uuid[])))
          AND (CAST(:reason AS text) IS NULL OR reason = CAST(:reason AS text))
          AND (CAST(:event_type AS text) IS NULL OR event_type = CAST(:event_type AS text))
          AND (CAST(:aggregate_type AS text) IS NULL OR aggregate_type = CAST(:aggregate_type AS text))
          AND (CAST(:aggregate_id AS text) IS NULL OR aggregate_id = CAST(:aggregate_id AS text))
          AND (:any_age OR coalesce(first_failed_at, occurred_at)
                           < clock_timestamp() - :age_millis * interval '1 millisecond')\
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

    /** The rights of the role outbox_relay, as rows of a table and a privilege. */
    private static final String RIGHTS = """
        ('outbox', 'SELECT'), ('outbox', 'DELETE'), ('outbox_lane', 'SELECT'), ('outbox_lane', 'UPDATE'),
        ('outbox_incarnation', 'SELECT'), ('outbox_incarnation', 'INSERT'), ('outbox_instance', 'SELECT'),
        ('outbox_instance', 'INSERT'), ('outbox_instance', 'UPDATE'), ('outbox_instance', 'DELETE'),
        ('outbox_failure', 'SELECT'), ('outbox_failure', 'INSERT'), ('outbox_failure', 'UPDATE'),
        ('outbox_failure', 'DELETE'), ('outbox_pause', 'SELECT'), ('outbox_position_seq', 'SELECT')\
        """;

    private static final String RIGHTS_OF_RETAINING = """
        UNION ALL SELECT 'INSERT on outbox_published'
        WHERE NOT has_table_privilege('SCHEMA.outbox_published', 'INSERT')
        UNION ALL SELECT 'USAGE on outbox_published_id_seq'
        WHERE NOT has_sequence_privilege('SCHEMA.outbox_published_id_seq', 'USAGE')
        UNION ALL SELECT 'EXECUTE on outbox_retain'
        WHERE NOT has_function_privilege('SCHEMA.outbox_retain(interval)', 'EXECUTE')
        """;

    private final String schema;
    private final NamedParameterJdbcTemplate database;
    private final JdbcTemplate counting;

    PostgresCommands(String schema, DataSource connections) {
        this.schema = Dialect.plainName(schema);
        this.database = new NamedParameterJdbcTemplate(new JdbcTemplate(connections));
        this.counting = new JdbcTemplate(connections);
        this.counting.setQueryTimeout(COUNTING_SECONDS);
    }

    @Override
    public void limit() {
        database.getJdbcTemplate().execute("""
                SET LOCAL statement_timeout = '10s'; SET LOCAL lock_timeout = '10s';
                SET LOCAL idle_in_transaction_session_timeout = '5s'
                """);
    }

    /** https://www.postgresql.org/docs/current/errcodes-appendix.html */
    @Override
    public Trouble trouble(SQLException error) {
        String state = String.valueOf(error.getSQLState());
        return switch (state) {
            case "40P01" -> Trouble.DEADLOCK;
            case "42501" -> Trouble.NO_RIGHT;
            case "57014", "55P03" -> Trouble.TOO_LONG;
            default -> state.startsWith("22") ? Trouble.UNREADABLE : Trouble.OTHER;
        };
    }

    @Override
    public long note(String action, String what, long events, Note note) {
        return number(
                """
                INSERT INTO SCHEMA.outbox_audit (who, action, what, events, reason)
                VALUES (:who, :action, :what, :events, :reason) RETURNING id
                """,
                new MapSqlParameterSource("who", note.who())
                        .addValue("action", action)
                        .addValue("what", what)
                        .addValue("events", events)
                        .addValue("reason", note.reason()));
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
                SELECT coalesce(sum(behind.events), 0)
                FROM (SELECT DISTINCT lane, aggregate_type, aggregate_id
                      FROM SCHEMA.outbox_failure WHERE blocking AND MATCHES) AS meant,
                     LATERAL (
                         SELECT count(*) AS events FROM SCHEMA.outbox_failure w
                         WHERE w.blocking AND w.state = 'waiting' AND w.lane = meant.lane
                           AND w.aggregate_type = meant.aggregate_type
                           AND w.aggregate_id = meant.aggregate_id) AS behind
                """, parameters(filter));
    }

    @Override
    public List<Group> countByReason(Filter filter) {
        return database.query(in("""
                SELECT why, aggregate_type, event_type, count(*) AS events
                FROM (SELECT coalesce(reason, state) AS why, BYTES(aggregate_type, reason), BYTES(event_type, reason)
                      FROM SCHEMA.outbox_failure WHERE MATCHES) AS matching
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
        return failures("WHERE event_id = :event ORDER BY id LIMIT 1", new MapSqlParameterSource("event", event));
    }

    @Override
    public Optional<Failure> firstOfAggregate(Address address) {
        return failures("""
                WHERE blocking AND lane = :lane AND aggregate_type = :aggregate_type AND aggregate_id = :aggregate_id
                ORDER BY id LIMIT 1
                """, parameters(address)).stream().findFirst();
    }

    private List<Failure> failures(String which, MapSqlParameterSource parameters) {
        return database.query(
                in("""
                SELECT event_id, lane, position, BYTES(aggregate_type, reason), BYTES(aggregate_id, reason),
                       BYTES(event_type, reason), octet_length(payload) AS payload_bytes, BYTES(content_type, reason),
                       ARRAY (SELECT BYTES(name, reason) FROM jsonb_object_keys(headers) AS name) AS header_names,
                       occurred_at, state, blocking, attempts, failures, next_attempt_at, first_failed_at, failed_at,
                       reason, detail, clock_timestamp() AS read_at,
                       CASE WHEN blocking THEN
                           (SELECT count(*) FROM SCHEMA.outbox_failure o
                            WHERE o.blocking AND o.lane = f.lane AND o.aggregate_type = f.aggregate_type
                              AND o.aggregate_id = f.aggregate_id AND o.id < f.id) ELSE 0 END AS before_it,
                       CASE WHEN blocking THEN
                           (SELECT count(*) FROM SCHEMA.outbox_failure o
                            WHERE o.blocking AND o.lane = f.lane AND o.aggregate_type = f.aggregate_type
                              AND o.aggregate_id = f.aggregate_id AND o.id > f.id) ELSE 0 END AS behind_it
                FROM SCHEMA.outbox_failure f
                """ + which), parameters, (row, n) -> ROWS.failure(row, Rows.address(row), headerNames(row)));
    }

    private static List<String> headerNames(ResultSet row) throws SQLException {
        return Stream.of((byte[][]) row.getArray("header_names").getArray())
                .map(name -> new String(name, StandardCharsets.UTF_8))
                .toList();
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
                in("SELECT lane FROM SCHEMA.outbox_lane WHERE lane = ANY (:lanes) ORDER BY lane FOR UPDATE"),
                new MapSqlParameterSource(
                        "lanes",
                        candidates.stream().map(Candidate::lane).distinct().toArray(Integer[]::new)),
                row -> {});
    }

    @Override
    public List<String> retry(Filter filter, List<Long> rows) {
        List<String> retried = change("""
                UPDATE SCHEMA.outbox_failure
                SET state = 'waiting', blocking = true, attempts = 0, failures = 0, next_attempt_at = NULL,
                    returned_since = NULL
                WHERE id = ANY (:rows) AND MATCHES
                RETURNING event_id
                """, filter, rows);
        if (!retried.isEmpty()) {
            restoreOrder(rows);
        }
        return retried;
    }

    @Override
    public List<String> bringForward(Filter filter, List<Long> rows) {
        return change("""
                UPDATE SCHEMA.outbox_failure SET next_attempt_at = clock_timestamp()
                WHERE id = ANY (:rows) AND MATCHES
                RETURNING event_id
                """, filter, rows);
    }

    @Override
    public List<String> discard(Filter filter, List<Long> rows) {
        List<Long> remaining = oneRemainingOfEach(rows);
        List<String> discarded = change(
                "DELETE FROM SCHEMA.outbox_failure WHERE id = ANY (:rows) AND MATCHES RETURNING event_id",
                filter,
                rows);
        if (!discarded.isEmpty()) {
            restoreOrder(Stream.concat(remaining.stream(), rows.stream()).toList());
        }
        return discarded;
    }

    private List<String> change(String statement, Filter filter, List<Long> rows) {
        return database.query(
                in(statement),
                parameters(filter).addValue("rows", rows.toArray(Long[]::new)),
                (row, n) -> String.valueOf(row.getObject("event_id", UUID.class)));
    }

    /** Returns, of each aggregate that may lose rows, the first one that stays. */
    private List<Long> oneRemainingOfEach(List<Long> rows) {
        return database.queryForList(in("""
                SELECT id FROM (
                    SELECT (SELECT f.id FROM SCHEMA.outbox_failure f
                            WHERE f.blocking AND f.lane = its.lane AND f.aggregate_type = its.aggregate_type
                              AND f.aggregate_id >= its.aggregate_id AND f.aggregate_id <= its.aggregate_id
                              AND f.id <> ALL (:rows)
                            ORDER BY f.aggregate_id, f.id LIMIT 1) AS id
                    FROM (SELECT DISTINCT lane, aggregate_type, aggregate_id FROM SCHEMA.outbox_failure
                          WHERE id = ANY (:rows)) AS its) AS behind
                WHERE id IS NOT NULL
                """), new MapSqlParameterSource("rows", rows.toArray(Long[]::new)), Long.class);
    }

    /** By rows, not by the aggregates' names, which may not be valid text. */
    private void restoreOrder(List<Long> rows) {
        Long[] ids = rows.toArray(Long[]::new);
        for (String statement :
                List.of(PostgresOutbox.holdBack(PostgresOutbox.BY_ROW), PostgresOutbox.moveUp(PostgresOutbox.BY_ROW))) {
            database.getJdbcTemplate()
                    .update(
                            in(statement),
                            bound -> bound.setArray(1, bound.getConnection().createArrayOf("bigint", ids)));
        }
    }

    @Override
    public boolean pause(Route route, Note note) {
        return database.update(
                        in("""
                        INSERT INTO SCHEMA.outbox_pause (aggregate_type, event_type, paused_by, reason)
                        VALUES (:aggregate_type, :event_type, :who, :reason) ON CONFLICT DO NOTHING
                        """), parameters(route).addValue("who", note.who()).addValue("reason", note.reason()))
                > 0;
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
        return unpublished("event_id = :event", new MapSqlParameterSource("event", event), 1, unreadable, BEFORE)
                .stream()
                .findFirst();
    }

    @Override
    public List<Unpublished> unpublishedOf(String aggregateType, String aggregateId, int limit, boolean unreadable) {
        return unpublished(OF_AGGREGATE, parameters(aggregateType, aggregateId), limit, unreadable, RANK);
    }

    @Override
    public long countUnpublishedOf(String aggregateType, String aggregateId) {
        return number(
                "SELECT count(*) FROM SCHEMA.outbox WHERE " + OF_AGGREGATE, parameters(aggregateType, aggregateId));
    }

    private static MapSqlParameterSource parameters(String aggregateType, String aggregateId) {
        return new MapSqlParameterSource("aggregate_type", aggregateType).addValue("aggregate_id", aggregateId);
    }

    private List<Unpublished> unpublished(
            String which, MapSqlParameterSource parameters, int limit, boolean unreadable, String before) {
        return database.query(
                in("""
                SELECT o.event_id, o.lane, o.position, BYTES(aggregate_type, UNPUBLISHED),
                       BYTES(aggregate_id, UNPUBLISHED), BYTES(event_type, UNPUBLISHED),
                       octet_length(payload) AS payload_bytes, occurred_at, clock_timestamp() AS read_at,
                       BEFORE
                FROM SCHEMA.outbox o WHERE WHICH ORDER BY o.position LIMIT :limit
                """.replace("UNPUBLISHED", unreadable ? "'unreadable'" : "''")
                        .replace("WHICH", which)
                        .replace("BEFORE", before)),
                parameters.addValue("limit", limit),
                ROWS::unpublished);
    }

    @Override
    public Optional<Retained> retained(UUID event, boolean unreadable) {
        return first(
                """
                SELECT lane, position, BYTES(aggregate_type, UNPUBLISHED), BYTES(aggregate_id, UNPUBLISHED),
                       BYTES(event_type, UNPUBLISHED), published_at, clock_timestamp() AS read_at
                FROM SCHEMA.outbox_published WHERE event_id = :event ORDER BY id LIMIT 1
                """.replace("UNPUBLISHED", unreadable ? "'unreadable'" : "''"),
                new MapSqlParameterSource("event", event),
                ROWS::retained);
    }

    @Override
    public Optional<Lane> lane(int lane) {
        return first("""
                SELECT lane, owner, epoch,
                       coalesce(greatest(0, extract(epoch FROM lease_until - clock_timestamp())), 0) AS lease_seconds
                FROM SCHEMA.outbox_lane WHERE lane = :lane
                """, new MapSqlParameterSource("lane", lane), Rows::lane);
    }

    @Override
    public @Nullable List<Audited> audit(UUID event) {
        boolean readable = Boolean.TRUE.equals(database.getJdbcTemplate()
                .queryForObject(in("SELECT has_table_privilege('SCHEMA.outbox_audit', 'SELECT')"), Boolean.class));
        return !readable
                ? null
                : database.query(in("""
                        SELECT id, at, db_user, who, action, what, events, reason
                        FROM SCHEMA.outbox_audit WHERE strpos(what, :text) > 0 ORDER BY id
                        """), new MapSqlParameterSource("text", event.toString()), ROWS::audited);
    }

    @Override
    public List<Audited> audit(@Nullable Instant since, int limit) {
        return database.query(
                in("""
                SELECT id, at, db_user, who, action, what, events, reason FROM SCHEMA.outbox_audit
                WHERE CAST(:since AS timestamptz) IS NULL OR at >= CAST(:since AS timestamptz)
                ORDER BY id DESC LIMIT :limit
                """), new MapSqlParameterSource("since", time(since)).addValue("limit", limit), ROWS::audited);
    }

    @Override
    public List<String> missingRights(boolean retaining) {
        return database.getJdbcTemplate()
                .queryForList(in("""
                        SELECT format('%s on %s', privilege, relation)
                        FROM (VALUES RIGHTS) AS needed (relation, privilege)
                        WHERE NOT has_table_privilege('SCHEMA.' || relation, privilege)
                        """.replace("RIGHTS", RIGHTS) + (retaining ? RIGHTS_OF_RETAINING : "")), String.class);
    }

    @Override
    public Instant now() {
        return Objects.requireNonNull(
                        database.getJdbcTemplate().queryForObject("SELECT clock_timestamp()", OffsetDateTime.class))
                .toInstant();
    }

    @Override
    public Extent extent(Selection selection, long after) {
        long events = number(
                "SELECT count(*) FROM SCHEMA.outbox_published WHERE CONDITIONS"
                        .replace("CONDITIONS", conditions(selection)),
                parameters(selection).addValue("after", after));
        return new Extent(events, events == 0 ? oldest() : null);
    }

    private @Nullable Instant oldest() {
        return first(
                        "SELECT published_at FROM SCHEMA.outbox_published ORDER BY id LIMIT 1",
                        new MapSqlParameterSource(),
                        (row, n) -> ROWS.instant(row, "published_at"))
                .orElse(null);
    }

    @Override
    public List<Event> next(Selection selection, long after, Limits limits) {
        return database.query(
                in("""
                SELECT id, event_id, aggregate_type, aggregate_id, event_type, bytes,
                       CASE WHEN bytes <= :largest THEN payload END, content_type, headers, occurred_at, lane
                FROM (
                    SELECT b.*, sum(bytes) OVER (ORDER BY id ROWS UNBOUNDED PRECEDING) - bytes AS read_before
                    FROM (
                        SELECT *, octet_length(payload) AS bytes FROM SCHEMA.outbox_published
                        WHERE CONDITIONS
                        ORDER BY id LIMIT :most) AS b) AS r
                WHERE read_before < :bytes
                ORDER BY id
                """.replace("CONDITIONS", conditions(selection))),
                parameters(selection)
                        .addValue("after", after)
                        .addValue("largest", limits.largest())
                        .addValue("most", limits.events())
                        .addValue("bytes", limits.bytes()),
                (row, n) -> PostgresOutbox.EVENTS.event(row, null));
    }

    /** Only conditions that are given: one that may be absent would keep the planner from using an index. */
    private static String conditions(Selection selection) {
        StringBuilder conditions = new StringBuilder("id > :after");
        add(conditions, "event_id = ANY (:events::uuid[])", selection.events().isEmpty() ? null : selection.events());
        add(conditions, "published_at >= :from", selection.from());
        add(conditions, "published_at < :to", selection.to());
        add(conditions, "event_type = :event_type", selection.eventType());
        add(conditions, "aggregate_type = :aggregate_type", selection.aggregateType());
        add(conditions, "aggregate_id = :aggregate_id", selection.aggregateId());
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
                        selection.events().stream().map(UUID::toString).collect(Collectors.joining(",", "{", "}")))
                .addValue("from", time(selection.from()))
                .addValue("to", time(selection.to()))
                .addValue("event_type", selection.eventType())
                .addValue("aggregate_type", selection.aggregateType())
                .addValue("aggregate_id", selection.aggregateId());
    }

    private static @Nullable OffsetDateTime time(@Nullable Instant instant) {
        return instant == null ? null : instant.atOffset(ZoneOffset.UTC);
    }

    @Override
    public Set<String> settling() {
        return new TreeSet<>(database.getJdbcTemplate().queryForList(in("""
                SELECT format('%s (pid %s, user %s, application "%s")', l.virtualtransaction, l.pid, a.usename,
                              a.application_name)
                FROM pg_locks l LEFT JOIN pg_stat_activity a ON a.pid = l.pid
                WHERE l.locktype = 'relation' AND l.mode = 'RowExclusiveLock' AND l.granted
                  AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
                  AND l.relation = 'SCHEMA.outbox_published'::regclass
                """), String.class));
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
        return id;
    }

    @Override
    public int sentAll(String queue) {
        return database.update(
                in("UPDATE SCHEMA.outbox_subscription SET completed_at = clock_timestamp() WHERE queue = :queue"),
                new MapSqlParameterSource("queue", queue));
    }

    @Override
    public List<LaneAndLag> lanes() {
        return counting.query(in("""
                SELECT lane, owner, epoch, coalesce(events, 0) AS events,
                       coalesce(greatest(0, extract(epoch FROM lease_until - clock_timestamp())), 0) AS lease_seconds,
                       coalesce(greatest(0, extract(epoch FROM clock_timestamp() - oldest)), 0) AS lag_seconds
                  FROM SCHEMA.outbox_lane
                  LEFT JOIN (SELECT lane, count(*) AS events,
                                    min(occurred_at) FILTER (WHERE isfinite(occurred_at)) AS oldest
                               FROM SCHEMA.outbox GROUP BY lane) backlog USING (lane)
                 ORDER BY lane
                """), Overview::lane);
    }

    @Override
    public List<String> instances() {
        return counting.queryForList(in("""
                SELECT instance FROM SCHEMA.outbox_instance WHERE alive_until > clock_timestamp() ORDER BY instance
                """), String.class);
    }

    @Override
    public List<StateCount> countByState() {
        return counting.query(in("""
                SELECT state, count(*) AS events,
                       extract(epoch FROM clock_timestamp()
                                          - min(occurred_at) FILTER (WHERE isfinite(occurred_at))) AS oldest_seconds
                FROM SCHEMA.outbox_failure GROUP BY state
                """), StateCount::read);
    }

    @Override
    public List<Overview.Pause> pausesNow() {
        return counting.query(in("""
                SELECT aggregate_type, event_type, paused_by, reason,
                       extract(epoch FROM clock_timestamp() - paused_at) AS paused_seconds
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

    static MapSqlParameterSource parameters(Filter filter) {
        Duration age = filter.olderThan() == null ? Duration.ZERO : filter.olderThan();
        return new MapSqlParameterSource()
                .addValue("events", filter.events().stream().map(UUID::toString).toArray(String[]::new))
                .addValue(
                        "states", filter.states().stream().map(State::toString).toArray(String[]::new))
                .addValue("reason", filter.reason())
                .addValue("event_type", filter.eventType())
                .addValue("aggregate_type", filter.aggregateType())
                .addValue("aggregate_id", filter.aggregateId())
                .addValue("any_age", filter.olderThan() == null)
                .addValue("age_millis", age.toMillis());
    }

    private static MapSqlParameterSource parameters(Route route) {
        return new MapSqlParameterSource("aggregate_type", route.aggregateType())
                .addValue("event_type", route.eventType());
    }

    private static MapSqlParameterSource parameters(Address address) {
        return new MapSqlParameterSource("lane", address.lane())
                .addValue("aggregate_type", address.aggregateType())
                .addValue("aggregate_id", address.aggregateId())
                .addValue("event_type", address.eventType());
    }

    /** Puts in the schema, which is the only thing that cannot be bound, and what several statements share. */
    @Override
    public String in(String statement) {
        return PostgresOutbox.bytes(statement).replace("MATCHES", MATCHES).replace("SCHEMA", schema);
    }
}
