package io.outboxrelay.relay.postgresql;

import io.outboxrelay.relay.database.DatabaseMessage;
import io.outboxrelay.relay.database.EventReader;
import io.outboxrelay.relay.database.Failures;
import io.outboxrelay.relay.database.InstalledVersion;
import java.nio.charset.StandardCharsets;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.function.LongConsumer;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;
import org.springframework.dao.DataAccessException;
import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.jdbc.core.RowMapper;
import org.springframework.jdbc.core.namedparam.MapSqlParameterSource;
import org.springframework.jdbc.core.namedparam.NamedParameterJdbcTemplate;
import org.springframework.jdbc.support.JdbcTransactionManager;
import org.springframework.transaction.TransactionDefinition;
import org.springframework.transaction.TransactionException;
import org.springframework.transaction.support.TransactionTemplate;

/**
 * The statements of people's commands on one outbox.
 *
 * <p>A change first takes the rows of its lanes in {@code outbox_lane}, as a relay does before it writes a failure, then
 * decides anew what is to be changed, then restores the order of the aggregates by {@link AggregateOrder}, and notes in
 * {@code outbox_audit} what it did, all in one transaction. Many rows are changed in transactions of at most
 * {@link #MOST_AT_ONCE} rows, since a relay cannot renew its lease of a lane meanwhile; what was changed before a crash
 * stays changed, and the command can be given again.
 */
final class PostgresFailures implements Failures {

    /** Most rows that one transaction changes, for which it holds their lanes: 0.2 to 1.2 s on two busy cores. */
    public static final int MOST_AT_ONCE = 1_000;

    private static final String DEADLOCK = "40P01";
    private static final String DATA_EXCEPTION = "22";
    private static final String NO_RIGHT = "42501";
    /** A statement was cancelled, or a lock not obtained, in {@link Statements#LIMITS}. */
    private static final Set<String> TOO_LONG = Set.of("57014", "55P03");

    private static final int MOST_DEADLOCKS = 5;

    private final String schema;
    private final DataSource connections;
    private final NamedParameterJdbcTemplate database;
    private final TransactionTemplate change;
    private final TransactionTemplate snapshot;
    private final Statements sql;

    /**
     * @param schema database schema of the outbox
     * @param connections each transaction takes one
     */
    public PostgresFailures(String schema, DataSource connections) {
        this.schema = schema;
        this.connections = connections;
        this.database = new NamedParameterJdbcTemplate(new JdbcTemplate(connections));
        this.sql = new Statements(schema, false);
        this.change = new TransactionTemplate(new JdbcTransactionManager(connections));
        this.change.setIsolationLevel(TransactionDefinition.ISOLATION_READ_COMMITTED);
        this.snapshot = new TransactionTemplate(new JdbcTransactionManager(connections));
        this.snapshot.setIsolationLevel(TransactionDefinition.ISOLATION_REPEATABLE_READ);
        this.snapshot.setReadOnly(true);
    }

    @Override
    public void requireVersion() {
        InstalledVersion.require(schema, connections);
    }

    @Override
    public Listing list(Filter filter, int limit) {
        return read(() -> {
            MapSqlParameterSource parameters = parameters(filter).addValue("limit", limit);
            Map<State, Long> counts = new EnumMap<>(State.class);
            database.query(sql.countByState, parameters, row -> {
                counts.put(State.of(row.getString("state")), row.getLong("events"));
            });
            return new Listing(
                    counts,
                    number(sql.countWaitingBehind, parameters),
                    database.query(sql.list, parameters, PostgresFailures::failure));
        });
    }

    @Override
    public Optional<Failure> find(UUID event) {
        return read(() -> first(sql.find, new MapSqlParameterSource("event", event), PostgresFailures::failure));
    }

    @Override
    public long count(Filter filter) {
        return read(() -> number(sql.count, parameters(filter)));
    }

    @Override
    public long retry(Filter filter, Note note, LongConsumer progress) {
        return changeAll(new Change("retry", sql.retry, filter.in(Set.of(State.PARKED)), note, false), progress);
    }

    @Override
    public long discard(Filter filter, Note note, LongConsumer progress) {
        return changeAll(new Change("discard", sql.discard, filter.in(State.SHOWN), note, true), progress);
    }

    @Override
    public boolean pause(Route route, Note note) {
        MapSqlParameterSource parameters =
                parameters(route).addValue("who", note.who()).addValue("reason", note.reason());
        return changed(() -> audited(database.update(sql.pause, parameters), "pause", route, note));
    }

    @Override
    public boolean resume(Route route, Note note) {
        return changed(() -> audited(database.update(sql.resume, parameters(route)), "resume", route, note));
    }

    @Override
    public List<Pause> pauses() {
        return read(() -> database.query(sql.pauses, PostgresFailures::pause));
    }

    @Override
    public Whereabouts locate(UUID event) {
        try {
            return locate(event, sql);
        } catch (UnavailableException e) {
            if (!String.valueOf(sqlState(e)).startsWith(DATA_EXCEPTION)) {
                throw e;
            }
            return locate(event, new Statements(schema, true));
        }
    }

    private Whereabouts locate(UUID event, Statements sql) {
        return read(() -> {
            MapSqlParameterSource id = new MapSqlParameterSource("event", event);
            Optional<Unpublished> unpublished = first(sql.unpublished, id, PostgresFailures::unpublished);
            Optional<Failure> failure = first(sql.find, id, PostgresFailures::failure);
            Optional<Address> address = unpublished.map(Unpublished::address).or(() -> failure.map(Failure::address));
            MapSqlParameterSource at =
                    address.map(PostgresFailures::parameters).orElse(id).addValue("text", event.toString());
            return new Whereabouts(
                    unpublished.orElse(null),
                    failure.orElse(null),
                    first(sql.retained, id, PostgresFailures::retained).orElse(null),
                    address.flatMap(any -> first(sql.firstOfAggregate, at, PostgresFailures::failure))
                            .orElse(null),
                    address.flatMap(any -> first(sql.lane, at, PostgresFailures::lane))
                            .orElse(null),
                    address.map(any -> database.query(sql.pausesOfRoute, at, PostgresFailures::pause))
                            .orElse(List.of()),
                    audit(at));
        });
    }

    private @Nullable List<Audited> audit(MapSqlParameterSource parameters) {
        boolean readable = Boolean.TRUE.equals(database.queryForObject(sql.mayReadAudit, parameters, Boolean.class));
        return readable ? database.query(sql.auditOf, parameters, PostgresFailures::audited) : null;
    }

    private long changeAll(Change order, LongConsumer progress) {
        // Chosen once: an event that moves up behind a discarded one, or fails from now on, is not meant.
        List<Candidate> chosen = read(() -> database.query(
                sql.candidates,
                parameters(order.filter()),
                (row, n) -> new Candidate(row.getLong("id"), row.getInt("lane"))));
        long changed = 0;
        for (int from = 0; from < chosen.size(); from += MOST_AT_ONCE) {
            List<Candidate> some = chosen.subList(from, Math.min(chosen.size(), from + MOST_AT_ONCE));
            changed += changed(() -> changeSome(order, some));
            progress.accept(changed);
        }
        return changed;
    }

    private int changeSome(Change order, List<Candidate> candidates) {
        MapSqlParameterSource parameters = parameters(order.filter())
                .addValue(
                        "lanes",
                        candidates.stream().map(Candidate::lane).distinct().toArray(Integer[]::new))
                .addValue("rows", candidates.stream().map(Candidate::id).toArray(Long[]::new));
        database.query(sql.lockLanes, parameters, row -> {});
        List<Long> behind = order.deletes() ? database.queryForList(sql.behind, parameters, Long.class) : List.of();
        List<Touched> touched = database.query(order.statement(), parameters, PostgresFailures::touched);
        if (!touched.isEmpty()) {
            restoreOrder(Stream.concat(behind.stream(), candidates.stream().map(Candidate::id))
                    .toArray(Long[]::new));
            audit(order, touched);
        }
        return touched.size();
    }

    /** By rows, not by names, which may be no texts. */
    private void restoreOrder(Long[] rows) {
        for (String statement : sql.order) {
            database.getJdbcTemplate()
                    .update(
                            statement,
                            bound -> bound.setArray(1, bound.getConnection().createArrayOf("bigint", rows)));
        }
    }

    private void audit(Change order, List<Touched> touched) {
        String what = order.filter().toString();
        if (order.deletes()) {
            what += ": "
                    + touched.stream().map(one -> String.valueOf(one.event())).collect(Collectors.joining(", "));
        }
        audit(order.action(), what, touched.size(), order.note());
    }

    private boolean audited(int rows, String action, Route route, Note note) {
        if (rows > 0) {
            audit(action, route.toString(), 0, note);
        }
        return rows > 0;
    }

    private void audit(String action, String what, int events, Note note) {
        database.update(
                sql.audit,
                new MapSqlParameterSource("who", note.who())
                        .addValue("action", action)
                        .addValue("what", what)
                        .addValue("events", events)
                        .addValue("reason", note.reason()));
    }

    /** A relay may hold two lanes in another order; the database then ends one of the two, who tries again. */
    private <T> T changed(Supplier<T> work) {
        for (int deadlocks = 0; ; deadlocks++) {
            try {
                return inTransaction(change, work);
            } catch (UnavailableException e) {
                if (!DEADLOCK.equals(sqlState(e)) || deadlocks == MOST_DEADLOCKS) {
                    throw e;
                }
            }
        }
    }

    private <T> T read(Supplier<T> work) {
        return inTransaction(snapshot, work);
    }

    private <T> T inTransaction(TransactionTemplate transaction, Supplier<T> work) {
        try {
            return Objects.requireNonNull(transaction.execute(status -> {
                database.getJdbcTemplate().execute(Statements.LIMITS);
                return work.get();
            }));
        } catch (DataAccessException e) {
            throw unavailable(e);
        } catch (TransactionException e) {
            throw unavailable(e);
        }
    }

    static UnavailableException unavailable(RuntimeException e) {
        String state = sqlState(e);
        String cause = DatabaseMessage.of(e);
        if (NO_RIGHT.equals(state)) {
            return new UnavailableException(
                    "The database user may not do this (%s). Give one with the role outbox_admin: --user and --password-file."
                            .formatted(cause),
                    e);
        }
        if (TOO_LONG.contains(String.valueOf(state))) {
            return new UnavailableException(
                    "It took longer than a command may (%s): the database is busy, or somebody else changes the same lanes. "
                                    .formatted(cause)
                            + "What was changed by then stays changed; give the command again.",
                    e);
        }
        return new UnavailableException("The database does not answer as it should: " + cause, e);
    }

    private static @Nullable String sqlState(Throwable failure) {
        return rootOf(failure) instanceof SQLException cause ? cause.getSQLState() : null;
    }

    /** The database's own error; what lies behind it, such as a socket's, says less. */
    private static Throwable rootOf(Throwable failure) {
        Throwable root = failure;
        while (!(root instanceof SQLException) && root.getCause() != null) {
            root = root.getCause();
        }
        return root;
    }

    private long number(String statement, MapSqlParameterSource parameters) {
        return Objects.requireNonNull(database.queryForObject(statement, parameters, Long.class));
    }

    private <T extends Object> Optional<T> first(
            String statement, MapSqlParameterSource parameters, RowMapper<T> mapper) {
        return database.query(statement, parameters, mapper).stream().findFirst();
    }

    private static MapSqlParameterSource parameters(Filter filter) {
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

    private static Address address(ResultSet row) throws SQLException {
        return new Address(
                row.getInt("lane"),
                row.getLong("position"),
                EventReader.shown(row, "aggregate_type"),
                EventReader.shown(row, "aggregate_id"),
                EventReader.shown(row, "event_type"));
    }

    private static Failure failure(ResultSet row, int n) throws SQLException {
        return new Failure(
                row.getObject("event_id", UUID.class),
                address(row),
                new Content(
                        row.getLong("payload_bytes"),
                        EventReader.shown(row, "content_type"),
                        names(row),
                        instant(row, "occurred_at")),
                State.of(row.getString("state")),
                row.getBoolean("blocking"),
                row.getInt("attempts"),
                row.getInt("failures"),
                optionalInstant(row, "next_attempt_at"),
                optionalInstant(row, "first_failed_at"),
                optionalInstant(row, "failed_at"),
                row.getString("reason"),
                row.getString("detail"),
                row.getLong("before"),
                row.getLong("behind"),
                instant(row, "read_at"));
    }

    private static Retained retained(ResultSet row, int n) throws SQLException {
        return new Retained(address(row), instant(row, "published_at"), instant(row, "read_at"));
    }

    private static Unpublished unpublished(ResultSet row, int n) throws SQLException {
        return new Unpublished(
                address(row),
                row.getLong("payload_bytes"),
                instant(row, "occurred_at"),
                row.getLong("before_in_lane"),
                row.getLong("before_in_aggregate"),
                instant(row, "read_at"));
    }

    private static Lane lane(ResultSet row, int n) throws SQLException {
        return new Lane(
                row.getInt("lane"), row.getString("owner"), row.getLong("epoch"), row.getDouble("lease_seconds"));
    }

    private static Pause pause(ResultSet row, int n) throws SQLException {
        return new Pause(
                new Route(row.getString("aggregate_type"), row.getString("event_type")),
                instant(row, "paused_at"),
                row.getString("paused_by"),
                row.getString("reason"));
    }

    private static Audited audited(ResultSet row, int n) throws SQLException {
        return new Audited(instant(row, "at"), row.getString("who"), row.getString("action"), row.getString("reason"));
    }

    private static Touched touched(ResultSet row, int n) throws SQLException {
        return new Touched(row.getObject("event_id", UUID.class), row.getLong("id"));
    }

    private static List<String> names(ResultSet row) throws SQLException {
        return Stream.of((byte[][]) row.getArray("header_names").getArray())
                .map(name -> new String(name, StandardCharsets.UTF_8))
                .toList();
    }

    private static Instant instant(ResultSet row, String column) throws SQLException {
        return row.getObject(column, OffsetDateTime.class).toInstant();
    }

    private static @Nullable Instant optionalInstant(ResultSet row, String column) throws SQLException {
        OffsetDateTime time = row.getObject(column, OffsetDateTime.class);
        return time == null ? null : time.toInstant();
    }

    private record Change(String action, String statement, Filter filter, Note note, boolean deletes) {}

    private record Candidate(long id, int lane) {}

    private record Touched(@Nullable UUID event, long id) {}

    /** The statements, with the schema put in; it is the only thing that cannot be bound. */
    private static final class Statements {

        private static final String FILTER = """
            state = ANY (CAST(:states AS text[]))
              AND (cardinality(CAST(:events AS uuid[])) = 0 OR event_id = ANY (CAST(:events AS uuid[])))
              AND (CAST(:reason AS text) IS NULL OR reason = CAST(:reason AS text))
              AND (CAST(:event_type AS text) IS NULL OR event_type = CAST(:event_type AS text))
              AND (CAST(:aggregate_type AS text) IS NULL OR aggregate_type = CAST(:aggregate_type AS text))
              AND (CAST(:aggregate_id AS text) IS NULL OR aggregate_id = CAST(:aggregate_id AS text))
              AND (:any_age OR coalesce(first_failed_at, occurred_at)
                               < clock_timestamp() - :age_millis * interval '1 millisecond')\
            """;

        private static final String FAILURES = """
            SELECT event_id, lane, position, BYTES(aggregate_type, reason), BYTES(aggregate_id, reason), BYTES(event_type, reason),
                   octet_length(payload) AS payload_bytes, BYTES(content_type, reason),
                   ARRAY (SELECT BYTES(name, reason) FROM jsonb_object_keys(headers) AS name) AS header_names, occurred_at, state, blocking, attempts,
                   failures, next_attempt_at, first_failed_at, failed_at, reason, detail, clock_timestamp() AS read_at,
                   CASE WHEN blocking THEN
                       (SELECT count(*) FROM SCHEMA.outbox_failure o
                        WHERE o.blocking AND o.lane = f.lane AND o.aggregate_type = f.aggregate_type
                          AND o.aggregate_id = f.aggregate_id AND o.id < f.id) ELSE 0 END AS before,
                   CASE WHEN blocking THEN
                       (SELECT count(*) FROM SCHEMA.outbox_failure o
                        WHERE o.blocking AND o.lane = f.lane AND o.aggregate_type = f.aggregate_type
                          AND o.aggregate_id = f.aggregate_id AND o.id > f.id) ELSE 0 END AS behind
            FROM SCHEMA.outbox_failure f\
            """;

        private final String schema;
        private final String ofUnpublished;

        /** A command that is stopped or loses its database in the middle must not keep a lane from its relay. */
        static final String LIMITS = """
            SET LOCAL statement_timeout = '10s'; SET LOCAL lock_timeout = '10s';
            SET LOCAL idle_in_transaction_session_timeout = '5s'
            """;

        final String countByState;
        final String countWaitingBehind;
        final String list;
        final String find;
        final String count;
        final String candidates;
        final String lockLanes;
        final String retry;
        final String discard;
        final List<String> order;
        final String behind;
        final String audit;
        final String pause;
        final String resume;
        final String pauses;
        final String pausesOfRoute;
        final String unpublished;
        final String retained;
        final String firstOfAggregate;
        final String lane;
        final String mayReadAudit;
        final String auditOf;

        /** Of rows that are still to be published it is not known whether their texts can be read. */
        Statements(String schema, boolean unreadable) {
            if (!schema.matches("[a-z_][a-z0-9_]{0,62}")) {
                throw new IllegalArgumentException("The schema '" + schema
                        + "' is not a plain lower-case name of at most 63 letters, digits and underscores");
            }
            this.schema = schema;
            this.ofUnpublished = unreadable ? "'unreadable'" : "''";
            countByState =
                    in("SELECT state, count(*) AS events FROM SCHEMA.outbox_failure WHERE FILTER GROUP BY state");
            // Counted for each aggregate, by its index: thousands may wait in one, and be none of those that are meant.
            countWaitingBehind = in("""
                SELECT coalesce(sum(behind.events), 0)
                FROM (SELECT DISTINCT lane, aggregate_type, aggregate_id
                      FROM SCHEMA.outbox_failure WHERE blocking AND FILTER) AS meant,
                     LATERAL (
                         SELECT count(*) AS events FROM SCHEMA.outbox_failure w
                         WHERE w.blocking AND w.state = 'waiting' AND w.lane = meant.lane
                           AND w.aggregate_type = meant.aggregate_type AND w.aggregate_id = meant.aggregate_id) AS behind
                """);
            list = in(FAILURES + " WHERE FILTER ORDER BY id LIMIT :limit");
            find = in(FAILURES + " WHERE event_id = :event ORDER BY id LIMIT 1");
            count = in("SELECT count(*) FROM SCHEMA.outbox_failure WHERE FILTER");
            candidates = in("SELECT id, lane FROM SCHEMA.outbox_failure WHERE FILTER ORDER BY id");
            lockLanes = in("SELECT lane FROM SCHEMA.outbox_lane WHERE lane = ANY (:lanes) ORDER BY lane FOR UPDATE");
            // Whoever had the lanes before may have changed the rows: so what is meant is asked again.
            retry = in("""
                UPDATE SCHEMA.outbox_failure
                SET state = 'waiting', blocking = true, attempts = 0, failures = 0, next_attempt_at = NULL,
                    returned_since = NULL
                WHERE id = ANY (:rows) AND FILTER
                RETURNING event_id, id
                """);
            discard = in("""
                DELETE FROM SCHEMA.outbox_failure WHERE id = ANY (:rows) AND FILTER
                RETURNING event_id, id
                """);
            // Of each aggregate that may lose rows, one that stays.
            behind = in("""
                SELECT id FROM (
                    SELECT (SELECT f.id FROM SCHEMA.outbox_failure f
                            WHERE f.blocking AND f.lane = its.lane AND f.aggregate_type = its.aggregate_type
                              AND f.aggregate_id >= its.aggregate_id AND f.aggregate_id <= its.aggregate_id
                              AND f.id <> ALL (:rows)
                            ORDER BY f.aggregate_id, f.id LIMIT 1) AS id
                    FROM (SELECT DISTINCT lane, aggregate_type, aggregate_id FROM SCHEMA.outbox_failure
                          WHERE id = ANY (:rows)) AS its) AS behind
                WHERE id IS NOT NULL
                """);
            order = List.of(
                    AggregateOrder.holdBack(schema, AggregateOrder.ROWS),
                    AggregateOrder.moveUp(schema, AggregateOrder.ROWS));
            audit = in("""
                INSERT INTO SCHEMA.outbox_audit (who, action, what, events, reason)
                VALUES (:who, :action, :what, :events, :reason)
                """);
            pause = in("""
                INSERT INTO SCHEMA.outbox_pause (aggregate_type, event_type, paused_by, reason)
                VALUES (:aggregate_type, :event_type, :who, :reason) ON CONFLICT DO NOTHING
                """);
            resume = in("""
                DELETE FROM SCHEMA.outbox_pause WHERE aggregate_type = :aggregate_type AND event_type = :event_type
                """);
            pauses = in("""
                SELECT aggregate_type, event_type, paused_at, paused_by, reason FROM SCHEMA.outbox_pause
                ORDER BY aggregate_type <> '*', event_type <> '*', aggregate_type, event_type
                """);
            pausesOfRoute = in("""
                SELECT aggregate_type, event_type, paused_at, paused_by, reason FROM SCHEMA.outbox_pause
                WHERE aggregate_type IN ('*', :aggregate_type) AND event_type IN ('*', :event_type) ORDER BY paused_at
                """);
            // No index helps: the outbox is kept small by publishing it, and has none to spare for its writers.
            retained = in("""
                SELECT lane, position, BYTES(aggregate_type, UNPUBLISHED), BYTES(aggregate_id, UNPUBLISHED), BYTES(event_type, UNPUBLISHED), published_at,
                       clock_timestamp() AS read_at
                FROM SCHEMA.outbox_published WHERE event_id = :event ORDER BY id LIMIT 1
                """);
            unpublished = in("""
                SELECT o.lane, o.position, BYTES(aggregate_type, UNPUBLISHED), BYTES(aggregate_id, UNPUBLISHED), BYTES(event_type, UNPUBLISHED),
                       octet_length(payload) AS payload_bytes, occurred_at, clock_timestamp() AS read_at,
                       (SELECT count(*) FROM SCHEMA.outbox b
                        WHERE b.lane = o.lane AND b.position < o.position) AS before_in_lane,
                       (SELECT count(*) FROM SCHEMA.outbox b
                        WHERE b.lane = o.lane AND b.position < o.position AND b.aggregate_type = o.aggregate_type
                          AND b.aggregate_id = o.aggregate_id) AS before_in_aggregate
                FROM SCHEMA.outbox o WHERE event_id = :event ORDER BY o.position LIMIT 1
                """);
            firstOfAggregate = in(FAILURES + """
                 WHERE blocking AND lane = :lane AND aggregate_type = :aggregate_type AND aggregate_id = :aggregate_id
                ORDER BY id LIMIT 1
                """);
            lane = in("""
                SELECT lane, owner, epoch,
                       coalesce(greatest(0, extract(epoch FROM lease_until - clock_timestamp())), 0) AS lease_seconds
                FROM SCHEMA.outbox_lane WHERE lane = :lane
                """);
            mayReadAudit = in("SELECT has_table_privilege('SCHEMA.outbox_audit', 'SELECT')");
            auditOf = in("""
                SELECT at, format('%s (database user %s)', who, db_user) AS who, action, reason
                FROM SCHEMA.outbox_audit WHERE strpos(what, :text) > 0 ORDER BY id
                """);
        }

        private String in(String statement) {
            return Bytes.in(statement.replace("UNPUBLISHED", ofUnpublished))
                    .replace("FILTER", FILTER)
                    .replace("SCHEMA", schema);
        }
    }
}
