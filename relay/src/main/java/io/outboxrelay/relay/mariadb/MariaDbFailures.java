package io.outboxrelay.relay.mariadb;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.outboxrelay.relay.database.DatabaseMessage;
import io.outboxrelay.relay.database.EventReader;
import io.outboxrelay.relay.database.Failures;
import io.outboxrelay.relay.database.InstalledVersion;
import java.nio.ByteBuffer;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
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
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;
import org.springframework.dao.DataAccessException;
import org.springframework.dao.DuplicateKeyException;
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
final class MariaDbFailures implements Failures {

    /** Most rows that one transaction changes, for which it holds their lanes: 0.2 to 1.2 s on two busy cores. */
    static final int MOST_AT_ONCE = 1_000;

    private static final int DEADLOCK = 1213;
    /** Of a table, a column, a database, an operation; https://mariadb.com/kb/en/mariadb-error-code-reference/. */
    private static final Set<Integer> NO_RIGHT = Set.of(1142, 1143, 1044, 1227);

    /** A statement took longer, or waited longer for a lock, than {@link Sql#commandLimits}; 3024 is MySQL's. */
    private static final Set<Integer> TOO_LONG = Set.of(1205, 1969, 3024);

    private static final double MICROS = 1e6;
    private static final long MICROS_PER_MILLI = 1_000;
    private static final TypeReference<List<String>> NAMES = new TypeReference<>() {};
    private static final ObjectMapper JSON = new ObjectMapper();

    private static final int MOST_DEADLOCKS = 5;

    private final String schema;
    private final DataSource connections;
    private final NamedParameterJdbcTemplate database;
    private final TransactionTemplate change;
    private final TransactionTemplate snapshot;
    private final Statements sql;
    private final AggregateOrder order;
    private final String limits;

    /**
     * @param schema database of the outbox; {@code public} for the one that the connections are in
     * @param connections each transaction takes one
     * @param mySql whether it is MySQL
     */
    MariaDbFailures(String schema, DataSource connections, boolean mySql) {
        this.schema = schema;
        this.connections = connections;
        this.database = new NamedParameterJdbcTemplate(new JdbcTemplate(connections));
        this.sql = new Statements(Sql.prefix(schema));
        this.order = new AggregateOrder(Sql.prefix(schema));
        this.limits = Sql.commandLimits(mySql);
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
                    database.query(sql.list, parameters, MariaDbFailures::failure));
        });
    }

    @Override
    public Optional<Failure> find(UUID event) {
        return read(
                () -> first(sql.find, new MapSqlParameterSource("event", Sql.bytes(event)), MariaDbFailures::failure));
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
        return changed(() -> audited(added(parameters), "pause", route, note));
    }

    /** The error of a duplicate ends its statement and nothing else. */
    private int added(MapSqlParameterSource pause) {
        try {
            return database.update(sql.pause, pause);
        } catch (DuplicateKeyException e) {
            return 0;
        }
    }

    @Override
    public boolean resume(Route route, Note note) {
        return changed(() -> audited(database.update(sql.resume, parameters(route)), "resume", route, note));
    }

    @Override
    public List<Pause> pauses() {
        return read(() -> database.query(sql.pauses, MariaDbFailures::pause));
    }

    @Override
    public Whereabouts locate(UUID event) {
        return read(() -> {
            MapSqlParameterSource id = new MapSqlParameterSource("event", Sql.bytes(event));
            Optional<Unpublished> unpublished = first(sql.unpublished, id, MariaDbFailures::unpublished);
            Optional<Failure> failure = first(sql.find, id, MariaDbFailures::failure);
            Optional<Address> address = unpublished.map(Unpublished::address).or(() -> failure.map(Failure::address));
            MapSqlParameterSource at =
                    address.map(MariaDbFailures::parameters).orElse(id).addValue("text", event.toString());
            return new Whereabouts(
                    unpublished.orElse(null),
                    failure.orElse(null),
                    first(sql.retained, id, MariaDbFailures::retained).orElse(null),
                    address.flatMap(any -> first(sql.firstOfAggregate, at, MariaDbFailures::failure))
                            .orElse(null),
                    address.flatMap(any -> first(sql.lane, at, MariaDbFailures::lane))
                            .orElse(null),
                    address.map(any -> database.query(sql.pausesOfRoute, at, MariaDbFailures::pause))
                            .orElse(List.of()),
                    audit(at));
        });
    }

    private @Nullable List<Audited> audit(MapSqlParameterSource parameters) {
        try {
            return database.query(sql.auditOf, parameters, MariaDbFailures::audited);
        } catch (DataAccessException e) {
            if (NO_RIGHT.contains(errorCode(e))) {
                return null;
            }
            throw e;
        }
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

    private int changeSome(Change change, List<Candidate> candidates) {
        MapSqlParameterSource parameters = parameters(change.filter())
                .addValue(
                        "lanes",
                        candidates.stream().map(Candidate::lane).distinct().toList())
                .addValue("rows", candidates.stream().map(Candidate::id).toList());
        database.query(sql.lockLanes, parameters, row -> {});
        // Whoever had the lanes before may have changed the rows: so what is meant is asked again.
        List<Touched> touched = database.query(sql.touched, parameters, MariaDbFailures::touched);
        if (!touched.isEmpty()) {
            database.update(
                    change.statement(),
                    new MapSqlParameterSource(
                            "rows", touched.stream().map(Touched::id).toList()));
            // As the database has them: a name that is no text has another hash here.
            List<byte[]> aggregates = touched.stream()
                    .map(one -> ByteBuffer.wrap(one.aggregate()))
                    .distinct()
                    .map(ByteBuffer::array)
                    .toList();
            order.holdBackAll(database.getJdbcTemplate(), aggregates);
            order.moveUpAll(database.getJdbcTemplate(), aggregates);
            audit(change, touched);
        }
        return touched.size();
    }

    private void audit(Change order, List<Touched> touched) {
        String what = order.filter().toString();
        if (order.namesEvents()) {
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
                if (errorCode(e) != DEADLOCK || deadlocks == MOST_DEADLOCKS) {
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
                database.getJdbcTemplate().execute(limits);
                return work.get();
            }));
        } catch (DataAccessException e) {
            throw unavailable(e);
        } catch (TransactionException e) {
            throw unavailable(e);
        }
    }

    static UnavailableException unavailable(RuntimeException e) {
        String cause = DatabaseMessage.of(e);
        if (NO_RIGHT.contains(errorCode(e))) {
            return new UnavailableException(
                    "The database user may not do this (%s). Give one with the role outbox_admin: --user and --password-file."
                            .formatted(cause),
                    e);
        }
        if (TOO_LONG.contains(errorCode(e))) {
            return new UnavailableException(
                    "It took longer than a command may (%s): the database is busy, or somebody else changes the same lanes. "
                                    .formatted(cause)
                            + "What was changed by then stays changed; give the command again.",
                    e);
        }
        return new UnavailableException("The database does not answer as it should: " + cause, e);
    }

    private static int errorCode(Throwable failure) {
        return rootOf(failure) instanceof SQLException cause ? cause.getErrorCode() : 0;
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
                .addValue("any_event", filter.events().isEmpty())
                .addValue(
                        "events",
                        orNone(filter.events().stream().map(Sql::bytes).toList(), new byte[0]))
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
        return new MapSqlParameterSource("lane", address.lane())
                .addValue("aggregate_type", address.aggregateType())
                .addValue("aggregate_id", address.aggregateId())
                .addValue("event_type", address.eventType());
    }

    private static Address address(ResultSet row) throws SQLException {
        return new Address(
                row.getInt("lane"),
                row.getLong("position"),
                row.getString("aggregate_type"),
                row.getString("aggregate_id"),
                row.getString("event_type"));
    }

    private static Failure failure(ResultSet row, int n) throws SQLException {
        return new Failure(
                Sql.uuid(row.getBytes("event_id")),
                address(row),
                new Content(
                        row.getLong("payload_bytes"),
                        row.getString("content_type"),
                        names(row.getString("header_names")),
                        occurredAt(row)),
                State.of(row.getString("state")),
                row.getBoolean("blocking"),
                row.getInt("attempts"),
                row.getInt("failures"),
                Sql.optionalInstant(row, "next_attempt_at"),
                Sql.optionalInstant(row, "first_failed_at"),
                Sql.optionalInstant(row, "failed_at"),
                row.getString("reason"),
                row.getString("detail"),
                row.getLong("before_it"),
                row.getLong("behind_it"),
                Sql.instant(row, "read_at"));
    }

    private static Retained retained(ResultSet row, int n) throws SQLException {
        return new Retained(address(row), Sql.instant(row, "published_at"), Sql.instant(row, "read_at"));
    }

    private static Unpublished unpublished(ResultSet row, int n) throws SQLException {
        return new Unpublished(
                address(row),
                row.getLong("payload_bytes"),
                occurredAt(row),
                row.getLong("before_in_lane"),
                row.getLong("before_in_aggregate"),
                Sql.instant(row, "read_at"));
    }

    private static Lane lane(ResultSet row, int n) throws SQLException {
        return new Lane(
                row.getInt("lane"), row.getString("owner"), row.getLong("epoch"), row.getLong("lease_micros") / MICROS);
    }

    private static Pause pause(ResultSet row, int n) throws SQLException {
        return new Pause(
                new Route(row.getString("aggregate_type"), row.getString("event_type")),
                Sql.instant(row, "paused_at"),
                row.getString("paused_by"),
                row.getString("reason"));
    }

    private static Audited audited(ResultSet row, int n) throws SQLException {
        return new Audited(
                Sql.instant(row, "at"), row.getString("who"), row.getString("action"), row.getString("reason"));
    }

    private static Touched touched(ResultSet row, int n) throws SQLException {
        return new Touched(row.getLong("id"), Sql.uuid(row.getBytes("event_id")), row.getBytes("aggregate"));
    }

    private static @Nullable Instant occurredAt(ResultSet row) throws SQLException {
        return EventReader.readable(row, row.findColumn("occurred_at"), Sql::time)
                .orElse(null);
    }

    /** None of headers that are no object, which MariaDB cannot be kept from taking. */
    private static List<String> names(@Nullable String json) {
        try {
            return json == null ? List.of() : JSON.readValue(json, NAMES);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("The names of headers are not a list of names", e);
        }
    }

    private record Change(String action, String statement, Filter filter, Note note, boolean namesEvents) {}

    private record Candidate(long id, int lane) {}

    @SuppressWarnings("ArrayRecordComponent")
    private record Touched(long id, UUID event, byte[] aggregate) {}

    /** The statements, with the database put in; it is the only thing that cannot be bound. */
    private static final class Statements {

        private static final String FILTER = """
            state IN (:states)
              AND (:any_event OR event_id IN (:events))
              AND (:reason IS NULL OR reason = :reason)
              AND (:event_type IS NULL OR event_type = :event_type)
              AND (:aggregate_type IS NULL OR aggregate_type = :aggregate_type)
              AND (:aggregate_id IS NULL OR aggregate_id = :aggregate_id)
              AND (:any_age OR coalesce(first_failed_at, occurred_at)
                               < utc_timestamp(6) - INTERVAL :age_micros MICROSECOND)\
            """;

        private static final String FAILURES = """
            SELECT event_id, lane, position, aggregate_type, aggregate_id, event_type,
                   octet_length(payload) AS payload_bytes, content_type, json_keys(headers) AS header_names, occurred_at,
                   state, blocking, attempts, failures, next_attempt_at, first_failed_at, failed_at, reason, detail,
                   utc_timestamp(6) AS read_at,
                   CASE WHEN blocking THEN
                       (SELECT count(*) FROM SCHEMA.outbox_failure o FORCE INDEX (outbox_failure_aggregate)
                        WHERE o.aggregate = f.aggregate AND o.blocking = 1 AND o.id < f.id) ELSE 0 END AS before_it,
                   CASE WHEN blocking THEN
                       (SELECT count(*) FROM SCHEMA.outbox_failure o FORCE INDEX (outbox_failure_aggregate)
                        WHERE o.aggregate = f.aggregate AND o.blocking = 1 AND o.id > f.id) ELSE 0 END AS behind_it
            FROM SCHEMA.outbox_failure f\
            """;

        private final String prefix;

        final String countByState;
        final String countWaitingBehind;
        final String list;
        final String find;
        final String count;
        final String candidates;
        final String lockLanes;
        final String touched;
        final String retry;
        final String discard;
        final String audit;
        final String pause;
        final String resume;
        final String pauses;
        final String pausesOfRoute;
        final String unpublished;
        final String firstOfAggregate;
        final String lane;
        final String auditOf;
        final String retained;

        Statements(String prefix) {
            this.prefix = prefix;
            countByState =
                    in("SELECT state, count(*) AS events FROM SCHEMA.outbox_failure WHERE FILTER GROUP BY state");
            // Counted for each aggregate, by its index: thousands may wait in one, and be none of those that are meant.
            countWaitingBehind = in("""
                SELECT coalesce(sum((
                    SELECT count(*) FROM SCHEMA.outbox_failure w FORCE INDEX (outbox_failure_aggregate_state)
                    WHERE w.aggregate = meant.aggregate AND w.state = 'waiting')), 0)
                FROM (SELECT DISTINCT aggregate FROM SCHEMA.outbox_failure WHERE blocking = 1 AND FILTER) meant
                """);
            list = in(FAILURES + " WHERE FILTER ORDER BY id LIMIT :limit");
            find = in(FAILURES + " WHERE event_id = :event ORDER BY id LIMIT 1");
            count = in("SELECT count(*) FROM SCHEMA.outbox_failure WHERE FILTER");
            candidates = in("SELECT id, lane FROM SCHEMA.outbox_failure WHERE FILTER ORDER BY id");
            lockLanes = in("""
                SELECT lane FROM SCHEMA.outbox_lane FORCE INDEX (PRIMARY) WHERE lane IN (:lanes) ORDER BY lane FOR UPDATE
                """);
            touched = in("""
                SELECT id, event_id, aggregate FROM SCHEMA.outbox_failure
                WHERE id IN (:rows) AND FILTER ORDER BY id
                """);
            retry = in("""
                UPDATE SCHEMA.outbox_failure
                SET state = 'waiting', blocking = true, attempts = 0, failures = 0, next_attempt_at = NULL,
                    returned_since = NULL
                WHERE id IN (:rows)
                """);
            discard = in("DELETE FROM SCHEMA.outbox_failure WHERE id IN (:rows)");
            audit = in("""
                INSERT INTO SCHEMA.outbox_audit (who, action, what, events, reason)
                VALUES (:who, :action, :what, :events, :reason)
                """);
            pause = in("""
                INSERT INTO SCHEMA.outbox_pause (aggregate_type, event_type, paused_by, reason)
                VALUES (:aggregate_type, :event_type, :who, :reason)
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
            unpublished = in("""
                SELECT o.lane, o.position, aggregate_type, aggregate_id, event_type,
                       octet_length(payload) AS payload_bytes, occurred_at, utc_timestamp(6) AS read_at,
                       (SELECT count(*) FROM SCHEMA.outbox b
                        WHERE b.lane = o.lane AND b.position < o.position) AS before_in_lane,
                       (SELECT count(*) FROM SCHEMA.outbox b
                        WHERE b.lane = o.lane AND b.position < o.position AND b.aggregate_type = o.aggregate_type
                          AND b.aggregate_id = o.aggregate_id) AS before_in_aggregate
                FROM SCHEMA.outbox o WHERE event_id = :event ORDER BY o.position LIMIT 1
                """);
            firstOfAggregate = in(FAILURES + """
                 WHERE blocking = 1 AND aggregate = unhex(sha2(concat(:aggregate_type, char(31 USING utf8mb4), :aggregate_id), 256))
                ORDER BY id LIMIT 1
                """);
            lane = in("""
                SELECT lane, owner, epoch,
                       coalesce(greatest(0, timestampdiff(MICROSECOND, utc_timestamp(6), lease_until)), 0) AS lease_micros
                FROM SCHEMA.outbox_lane WHERE lane = :lane
                """);
            retained = in("""
                SELECT lane, position, aggregate_type, aggregate_id, event_type, published_at, utc_timestamp(6) AS read_at
                FROM SCHEMA.outbox_published WHERE event_id = :event ORDER BY id LIMIT 1
                """);
            auditOf = in("""
                SELECT at, concat(who, ' (database user ', db_user, ')') AS who, action, reason
                FROM SCHEMA.outbox_audit WHERE locate(:text, what) > 0 ORDER BY id
                """);
        }

        private String in(String statement) {
            return statement.replace("FILTER", FILTER).replace("SCHEMA.", prefix);
        }
    }
}
