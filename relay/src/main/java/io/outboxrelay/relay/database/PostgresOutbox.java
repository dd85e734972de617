package io.outboxrelay.relay.database;

import io.outboxrelay.relay.database.OutboxStore.Backlog;
import io.outboxrelay.relay.database.OutboxStore.FailureCounts;
import io.outboxrelay.relay.database.OutboxStore.Look;
import io.outboxrelay.relay.database.OutboxStore.Members;
import io.outboxrelay.relay.database.OutboxStore.Retention;
import io.outboxrelay.relay.database.OutboxStore.StateCount;
import io.outboxrelay.relay.database.OutboxStore.Stuck;
import io.outboxrelay.relay.lane.ByRoute;
import io.outboxrelay.relay.lane.Event;
import io.outboxrelay.relay.lane.Event.Aggregate;
import io.outboxrelay.relay.lane.FailurePolicy.Failed;
import io.outboxrelay.relay.lane.LaneStore.Claim;
import io.outboxrelay.relay.lane.LaneStore.Closed;
import io.outboxrelay.relay.lane.LaneStore.Due;
import io.outboxrelay.relay.lane.LaneStore.Incarnation;
import io.outboxrelay.relay.lane.LaneStore.OwnedLane;
import io.outboxrelay.relay.lane.WriterWatch;
import io.outboxrelay.relay.lane.WriterWatch.Writer;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Types;
import java.time.Duration;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.UUID;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;
import org.postgresql.PGConnection;
import org.springframework.dao.DataAccessException;
import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.jdbc.core.PreparedStatementSetter;
import org.springframework.jdbc.core.RowMapper;

/**
 * What a running relay asks of PostgreSQL. Time is the database's: no statement contains a time of the host.
 *
 * <p>Where a statement looks for one lane or aggregate in an order, it compares twice ({@code >=} and {@code <=})
 * instead of by equality. With an equality the primary key would have the right order too, and a plan could walk it
 * past the rows of all others.
 *
 * <p>A database in SQL_ASCII stores any bytes as text, and other encodings have signs that UTF-8 has not. The server
 * then refuses to send the whole answer. Such rows are read one by one, and of the row at fault the bad texts as bytes.
 */
final class PostgresOutbox implements OutboxActs {

    static final EventReader EVENTS = new EventReader((row, n) -> row.getObject(n, UUID.class), PostgresOutbox::time);

    /** What is read of a failure besides its event. */
    private static final String KEPT = """
        id, attempts, failures, state, state = 'waiting' OR next_attempt_at IS NOT NULL AS may_go,
        CAST(1000000 * extract(epoch FROM clock_timestamp() - returned_since) AS bigint) AS returned_micros\
        """;

    /**
     * Names a life of the server. A crash empties an unlogged table, and a copy or a standby has none of its rows; the
     * next heartbeat then writes a new name. A restored dump has the name, but another oid of the table; a copy of the
     * database has both, but another oid of the database. A server that was stopped in order keeps all of them, and has
     * lost nothing.
     */
    private static final String INCARNATION = """
        ((SELECT name || '/' || tableoid FROM SCHEMA.outbox_incarnation)
            || '/' || (SELECT oid FROM pg_database WHERE datname = current_database())
            || '/' || extract(epoch FROM pg_postmaster_start_time()))\
        """;

    /** Aggregates by name: arrays of lanes, of aggregate types and of aggregate ids. */
    private static final String BY_NAME =
            "unnest(?::int[], ?::text[], ?::text[]) AS touched (lane, aggregate_type, aggregate_id)";

    /** Aggregates by an array of ids of existing rows, also those whose names are not valid text. */
    static final String BY_ROW = """
        (SELECT DISTINCT lane, aggregate_type, aggregate_id
         FROM SCHEMA.outbox_failure WHERE id = ANY (?)) AS touched\
        """;

    private static final String DATA_EXCEPTION = "22";
    private static final Set<String> TAKE_EVERY_SIGN = Set.of("UTF8", "SQL_ASCII");
    private static final Pattern NOT_ASCII = Pattern.compile("[^\\x00-\\x7f]");
    private static final Pattern TEXT = Pattern.compile("TEXT\\(([a-z_:]+)\\)");

    private final String schema;
    private final JdbcTemplate lanes;
    private final JdbcTemplate housekeeping;
    private final int maxEventBytes;
    private final boolean retaining;
    private final WriterWatch writers = new WriterWatch();
    private @Nullable Tail lastTail;
    private @Nullable String unreliable;

    PostgresOutbox(String schema, DataSource lanes, DataSource housekeeping, int maxEventBytes, boolean retaining) {
        this.schema = Dialect.plainName(schema);
        this.lanes = new JdbcTemplate(lanes);
        this.housekeeping = new JdbcTemplate(housekeeping);
        this.maxEventBytes = maxEventBytes;
        this.retaining = retaining;
    }

    /** The running sum ends the reading after so many bytes. */
    @Override
    public List<Row> claim(Claim claim) {
        String statement = in("""
            SELECT e.*, held.incarnation
            FROM (
                SELECT lane, INCARNATION AS incarnation
                FROM SCHEMA.outbox_lane WHERE lane = ? AND owner = ? AND epoch = ?) AS held
            LEFT JOIN LATERAL (
                SELECT position, event_id, aggregate_type, aggregate_id, event_type, bytes,
                       CASE WHEN bytes <= ? THEN payload END,
                       content_type, headers, occurred_at, lane
                FROM (
                    SELECT b.*, sum(read) OVER (ORDER BY lane, position ROWS UNBOUNDED PRECEDING) - read AS read_before
                    FROM (
                        SELECT c.*, CASE WHEN bytes <= ? THEN bytes ELSE 0 END AS read
                        FROM (
                            SELECT o.*, octet_length(payload) AS bytes FROM SCHEMA.outbox o
                            WHERE o.lane >= held.lane AND o.lane <= held.lane AND position > ? CONDITION
                            ORDER BY lane, position LIMIT ?) AS c) AS b) AS r
                WHERE read_before < ?) AS e ON true
            """.replace(
                        "CONDITION",
                        claim.without().isEmpty()
                                ? ""
                                : "AND (aggregate_type, aggregate_id) NOT IN (SELECT * FROM unnest(?, ?))"));
        PreparedStatementSetter bound = row -> {
            int n = 0;
            row.setInt(++n, claim.owned().lane());
            row.setString(++n, claim.owned().owner());
            row.setLong(++n, claim.owned().epoch());
            row.setInt(++n, maxEventBytes);
            row.setInt(++n, maxEventBytes);
            row.setLong(++n, claim.above());
            if (!claim.without().isEmpty()) {
                List<Aggregate> named =
                        claim.without().stream().filter(Aggregate::named).toList();
                set(row, ++n, "text", named.stream().map(Aggregate::type));
                set(row, ++n, "text", named.stream().map(Aggregate::id));
            }
            row.setInt(++n, claim.events());
            row.setLong(++n, claim.bytes());
        };
        return readable(
                () -> lanes.query(
                        statement,
                        bound,
                        (row, n) -> new Row(incarnation(row), isEvent(row) ? EVENTS.event(row, null) : null)),
                () -> lanes.query(
                        keys("position, incarnation", statement),
                        bound,
                        (row, n) -> new Row(
                                incarnation(row),
                                isEvent(row) ? unpublished(claim.owned().lane(), row.getLong("position")) : null)));
    }

    private static boolean isEvent(ResultSet row) throws SQLException {
        row.getLong("position");
        return !row.wasNull();
    }

    private static Incarnation incarnation(ResultSet row) throws SQLException {
        return new Incarnation(row.getString("incarnation"));
    }

    @Override
    public int settle(OwnedLane owned, Incarnation incarnation, List<Event> events) {
        String delete = """
            DELETE FROM SCHEMA.outbox o USING unnest(?, ?) AS confirmed (position, event_id)
            WHERE o.lane = ? AND o.position = confirmed.position AND o.event_id = confirmed.event_id
            """;
        String deleteAsOwner = delete + """
              AND EXISTS (
                  SELECT FROM SCHEMA.outbox_lane l WHERE l.lane = o.lane AND l.owner = ? AND l.epoch = ?
                    AND INCARNATION = ?)
            """;
        return lanes.update(in(retaining ? retained(deleteAsOwner, "position") : delete), statement -> {
            set(statement, 1, "bigint", events.stream().map(Event::position));
            set(statement, 2, "uuid", events.stream().map(Event::id));
            statement.setInt(3, owned.lane());
            if (retaining) {
                statement.setString(4, owned.owner());
                statement.setLong(5, owned.epoch());
                statement.setString(6, incarnation.name());
            }
        });
    }

    /** Makes a deletion a move to the retained events, in the order of publishing. */
    private static String retained(String delete, String order) {
        return """
            WITH settled AS (DELETE RETURNING o.*)
            INSERT INTO SCHEMA.outbox_published (lane, position, event_id, aggregate_type, aggregate_id, event_type,
                payload, content_type, headers, occurred_at)
            SELECT lane, position, event_id, aggregate_type, aggregate_id, event_type, payload, content_type, headers,
                   occurred_at
            FROM settled ORDER BY ORDER_OF_PUBLISHING
            """.replace("DELETE", delete).replace("ORDER_OF_PUBLISHING", order);
    }

    @Override
    public List<DueFailure> due(Due due) {
        String statement = in("""
            SELECT position, event_id, aggregate_type, aggregate_id, event_type, bytes,
                   CASE WHEN bytes <= ? THEN payload END,
                   content_type, headers, occurred_at, lane, KEPT
            FROM (
                SELECT *, sum(read) OVER (ORDER BY id ROWS UNBOUNDED PRECEDING) - read AS read_before
                FROM (
                    SELECT f.*, CASE WHEN bytes <= ? THEN bytes ELSE 0 END AS read
                    FROM (
                        SELECT lane, aggregate_type, aggregate_id FROM SCHEMA.outbox_failure
                        WHERE lane = ? AND next_attempt_at <= clock_timestamp()
                        ORDER BY next_attempt_at LIMIT ?) AS head
                    CROSS JOIN LATERAL (
                        SELECT *, octet_length(payload) AS bytes FROM SCHEMA.outbox_failure behind
                        WHERE behind.blocking AND behind.lane = head.lane
                          AND behind.aggregate_type = head.aggregate_type
                          AND behind.aggregate_id >= head.aggregate_id AND behind.aggregate_id <= head.aggregate_id
                        ORDER BY behind.aggregate_id, behind.id LIMIT ?) AS f
                    LIMIT ?) AS r) AS w
            WHERE read_before < ?
            ORDER BY id
            """);
        PreparedStatementSetter bound = row -> {
            row.setInt(1, maxEventBytes);
            row.setInt(2, maxEventBytes);
            row.setInt(3, due.lane());
            row.setInt(4, due.events());
            row.setInt(5, due.eventsPerAggregate());
            row.setInt(6, due.events());
            row.setLong(7, due.bytes());
        };
        return readable(
                () -> lanes.query(
                        statement, bound, (row, n) -> OutboxStore.due(row, EVENTS.event(row, OutboxStore.kept(row)))),
                () -> lanes.query(keys("id", statement), bound, (row, n) -> row.getLong("id")).stream()
                        .map(this::failure)
                        .toList());
    }

    /** What it writes has to survive a crash before a floor rises over it, so the commit waits for the disk. */
    @Override
    public boolean lockIfOwned(OwnedLane owned) {
        return !lanes.query(in("""
                        SELECT set_config('synchronous_commit', 'on', true) FROM SCHEMA.outbox_lane
                        WHERE lane = ? AND owner = ? AND epoch = ? FOR UPDATE
                        """), (row, n) -> row.getString(1), owned.lane(), owned.owner(), owned.epoch())
                .isEmpty();
    }

    @Override
    public Incarnation incarnation() {
        return required(lanes.queryForObject(in("SELECT INCARNATION AS incarnation"), (row, n) -> incarnation(row)));
    }

    /** The server would fail at names that it cannot send, and with it the transaction: these are read afterwards. */
    @Override
    public Supplier<Set<Aggregate>> blocked(int lane) {
        Set<Aggregate> blocked = new HashSet<>();
        List<Long> others = new ArrayList<>();
        lanes.query(
                in("""
                SELECT id, reason IS NOT DISTINCT FROM 'unreadable' AS unreadable,
                       CASE WHEN reason IS DISTINCT FROM 'unreadable' THEN aggregate_type END AS aggregate_type,
                       CASE WHEN reason IS DISTINCT FROM 'unreadable' THEN aggregate_id END AS aggregate_id
                FROM SCHEMA.outbox_failure
                WHERE lane = ? AND state <> 'waiting' AND blocking
                """),
                row -> {
                    if (row.getBoolean("unreadable")) {
                        others.add(row.getLong("id"));
                    } else {
                        blocked.add(new Aggregate(row.getString("aggregate_type"), row.getString("aggregate_id")));
                    }
                },
                lane);
        return () -> {
            others.forEach(id -> aggregate(id).ifPresent(blocked::add));
            return blocked;
        };
    }

    @Override
    public void removeFailures(List<Long> published) {
        String delete = "DELETE FROM SCHEMA.outbox_failure o WHERE id = ANY (?)";
        lanes.update(
                in(retaining ? retained(delete, "id") : delete),
                statement -> set(statement, 1, "bigint", published.stream()));
    }

    @Override
    public void updateFailures(List<Failed> failures) {
        String statement = in("""
            UPDATE SCHEMA.outbox_failure
            SET state = ?, blocking = ?, attempts = ?, failures = ?,
                next_attempt_at = clock_timestamp() + ? * interval '1 millisecond',
                first_failed_at = coalesce(first_failed_at, clock_timestamp()), failed_at = clock_timestamp(),
                returned_since = CASE WHEN ? THEN coalesce(returned_since, clock_timestamp()) END,
                reason = ?, detail = ?
            WHERE id = ? AND attempts = ?
            """);
        lanes.batchUpdate(statement, failures, failures.size(), (row, failed) -> {
            row.setString(1, state(failed));
            row.setBoolean(2, failed.blocking());
            row.setInt(3, failed.attempts());
            row.setInt(4, failed.failures());
            row.setObject(5, millis(failed.backoff()), Types.BIGINT);
            row.setBoolean(6, failed.returned());
            row.setString(7, failed.reason().word());
            row.setString(8, inEncodingOf(row.getConnection(), failed.detail()));
            row.setLong(9, required(failed.event().kept()).id());
            row.setInt(10, required(failed.event().kept()).attempts());
        });
    }

    @Override
    public void addFailures(int lane, List<Failed> failures) {
        String statement = move("""
            unnest(?, ?, ?, ?, ?, ?, ?, ?, ?, ?) WITH ORDINALITY AS f (at, identity, state, blocking, attempts,
                failures, backoff, returned, reason, detail, n)\
            """, """
            state, blocking, attempts, failures,
            clock_timestamp() + backoff * interval '1 millisecond', clock_timestamp(), clock_timestamp(),
            CASE WHEN returned THEN clock_timestamp() END, reason, detail\
            """);
        lanes.update(statement, row -> {
            Connection connection = row.getConnection();
            set(row, 1, "bigint", failures.stream().map(failed -> failed.event().position()));
            set(row, 2, "uuid", failures.stream().map(failed -> failed.event().id()));
            set(row, 3, "text", failures.stream().map(PostgresOutbox::state));
            set(row, 4, "boolean", failures.stream().map(Failed::blocking));
            set(row, 5, "int", failures.stream().map(Failed::attempts));
            set(row, 6, "int", failures.stream().map(Failed::failures));
            set(row, 7, "bigint", failures.stream().map(failed -> millis(failed.backoff())));
            set(row, 8, "boolean", failures.stream().map(Failed::returned));
            set(row, 9, "text", failures.stream().map(failed -> failed.reason().word()));
            set(row, 10, "text", failures.stream().map(failed -> inEncodingOf(connection, failed.detail())));
            row.setInt(11, lane);
        });
    }

    @Override
    public void addFollowers(int lane, List<Event> followers) {
        String statement = move("unnest(?, ?) WITH ORDINALITY AS f (at, identity, n)", """
            'waiting', true, 0, 0, NULL::timestamptz, NULL::timestamptz, NULL::timestamptz, NULL::timestamptz,
            NULL::text, NULL::text\
            """);
        lanes.update(statement, row -> {
            set(row, 1, "bigint", followers.stream().map(Event::position));
            set(row, 2, "uuid", followers.stream().map(Event::id));
            row.setInt(3, lane);
        });
    }

    /** Moves rows of the outbox to the failures. The order of the arrays becomes the order of the failures. */
    private String move(String rows, String values) {
        return in("""
            WITH moved AS (
                DELETE FROM SCHEMA.outbox o USING ROWS
                WHERE o.lane = ? AND o.position = f.at AND o.event_id = f.identity
                RETURNING o.*, f.*)
            INSERT INTO SCHEMA.outbox_failure (lane, position, event_id, aggregate_type, aggregate_id, event_type,
                payload, content_type, headers, occurred_at, state, blocking, attempts, failures, next_attempt_at,
                first_failed_at, failed_at, returned_since, reason, detail)
            SELECT lane, position, event_id, aggregate_type, aggregate_id, event_type, payload, content_type, headers,
                   occurred_at, VALUES
            FROM moved ORDER BY n
            """.replace("ROWS", rows).replace("VALUES", values));
    }

    private static @Nullable Long millis(@Nullable Duration backoff) {
        return backoff == null ? null : backoff.toMillis();
    }

    private static String state(Failed failed) {
        return failed.state().toString();
    }

    /** A database whose encoding lacks some signs refuses a parameter that has one of these. */
    private static String inEncodingOf(Connection connection, String words) {
        try {
            String encoding = connection.unwrap(PGConnection.class).getParameterStatus("server_encoding");
            return TAKE_EVERY_SIGN.contains(String.valueOf(encoding))
                    ? words
                    : NOT_ASCII.matcher(words).replaceAll("?");
        } catch (SQLException e) {
            throw new IllegalStateException("This is not a connection to PostgreSQL", e);
        }
    }

    @Override
    public void holdBack(int lane, Set<Aggregate> aggregates) {
        lanes.update(in(holdBack(BY_NAME)), statement -> bind(statement, lane, aggregates));
    }

    /** Does not read the rows that wait already. */
    static String holdBack(String touched) {
        return """
            UPDATE SCHEMA.outbox_failure SET state = 'waiting', next_attempt_at = NULL
            WHERE next_attempt_at IS NOT NULL AND id = ANY (ARRAY (
                SELECT later.id
                FROM TOUCHED
                JOIN SCHEMA.outbox_failure later USING (lane, aggregate_type, aggregate_id)
                WHERE later.state <> 'waiting' AND later.next_attempt_at IS NOT NULL AND EXISTS (
                    SELECT FROM SCHEMA.outbox_failure first
                    WHERE first.blocking AND first.lane = later.lane AND first.aggregate_type = later.aggregate_type
                      AND first.aggregate_id = later.aggregate_id AND first.id < later.id)))
            """.replace("TOUCHED", touched);
    }

    @Override
    public void moveUp(int lane, Set<Aggregate> aggregates) {
        lanes.update(in(moveUp(BY_NAME)), statement -> bind(statement, lane, aggregates));
    }

    /** Costs one search in an index for each aggregate, however many of its events wait. */
    static String moveUp(String touched) {
        return """
            UPDATE SCHEMA.outbox_failure SET state = 'retrying', next_attempt_at = clock_timestamp()
            WHERE state = 'waiting' AND id = ANY (ARRAY (
                SELECT (SELECT f.id FROM SCHEMA.outbox_failure f
                        WHERE f.blocking AND f.lane = touched.lane AND f.aggregate_type = touched.aggregate_type
                          AND f.aggregate_id >= touched.aggregate_id AND f.aggregate_id <= touched.aggregate_id
                        ORDER BY f.aggregate_id, f.id LIMIT 1)
                FROM TOUCHED))
            """.replace("TOUCHED", touched);
    }

    @Override
    public Set<Aggregate> free(int lane, Set<Aggregate> aggregates) {
        return new HashSet<>(lanes.query(
                in("""
                SELECT aggregate_type, aggregate_id
                FROM unnest(?::int[], ?::text[], ?::text[]) AS touched (lane, aggregate_type, aggregate_id)
                WHERE NOT EXISTS (
                    SELECT FROM SCHEMA.outbox_failure f
                    WHERE f.blocking AND f.lane = touched.lane AND f.aggregate_type = touched.aggregate_type
                      AND f.aggregate_id = touched.aggregate_id)
                """),
                statement -> bind(statement, lane, aggregates),
                (row, n) -> new Aggregate(row.getString(1), row.getString(2))));
    }

    private static void bind(PreparedStatement statement, int lane, Set<Aggregate> aggregates) throws SQLException {
        set(statement, 1, "int", aggregates.stream().map(aggregate -> lane));
        set(statement, 2, "text", aggregates.stream().map(Aggregate::type));
        set(statement, 3, "text", aggregates.stream().map(Aggregate::id));
    }

    @Override
    public int resume(int lane) {
        List<Long> resumed = lanes.queryForList(in("""
                UPDATE SCHEMA.outbox_failure SET state = 'waiting'
                WHERE id = ANY (ARRAY (
                    SELECT id FROM SCHEMA.outbox_failure f
                    WHERE f.lane = ? AND f.state <> 'waiting' AND f.state = 'paused' AND NOT EXISTS (
                        SELECT FROM SCHEMA.outbox_pause p
                        WHERE p.aggregate_type IN ('*', f.aggregate_type) AND p.event_type IN ('*', f.event_type))
                    LIMIT 1000))
                RETURNING id
                """), Long.class, lane);
        if (!resumed.isEmpty()) {
            lanes.update(in(moveUp(BY_ROW)), statement -> set(statement, 1, "bigint", resumed.stream()));
        }
        return resumed.size();
    }

    @Override
    public Closed closed() {
        return writers.closed();
    }

    @Override
    public Look lookAtWriters(long now) {
        // The position first: whoever took one up to it holds its lock already, or has ended.
        Tail tail = tail();
        if (tail.incarnation().equals(Incarnation.UNKNOWN)) {
            return new Look(Optional.empty(), false, unreliable); // until a heartbeat has named it
        }
        Map<String, Writer> open = openWriters();
        boolean another = lastTail != null && !tail.continues(lastTail);
        lastTail = tail;
        if (tail.unreliable() != null) {
            // For good: after the sequence is altered back, sessions keep the positions that they took in advance.
            unreliable = tail.unreliable();
        }
        if (another || unreliable != null) {
            writers.forget();
        }
        return new Look(
                unreliable != null ? Optional.empty() : writers.look(tail.incarnation(), tail.position(), open, now),
                another,
                unreliable);
    }

    /** The last position that was given out, and what guarantees that the next one is higher. */
    private record Tail(
            Incarnation incarnation,
            String tables,
            long position,
            @Nullable String unreliable) {

        boolean continues(Tail earlier) {
            return incarnation.continues(earlier.incarnation)
                    && tables.equals(earlier.tables)
                    && position >= earlier.position;
        }
    }

    /**
     * Before the first position is taken, {@code last_value} is that position. A table that was created again or a
     * restarted sequence begins again. The floor relies on this: a session takes one position at a time, when it
     * writes, and each is higher than all before it.
     */
    private Tail tail() {
        return required(housekeeping.queryForObject(
                in("""
                SELECT CASE WHEN is_called THEN last_value ELSE last_value - 1 END AS position,
                       INCARNATION AS incarnation,
                       format('%s/%s', 'SCHEMA.outbox'::regclass::oid,
                              pg_relation_filenode('SCHEMA.outbox_position_seq')) AS tables,
                       CASE
                           WHEN s.seqcache <> 1
                               THEN format('caches %s positions in each session (CACHE 1 is needed)', s.seqcache)
                           WHEN s.seqincrement < 1
                               THEN format('counts by %s (INCREMENT BY 1 is needed)', s.seqincrement)
                           WHEN s.seqcycle THEN 'begins again at its end (NO CYCLE is needed)'
                           WHEN pg_get_serial_sequence('SCHEMA.outbox', 'position')::regclass
                                IS DISTINCT FROM s.seqrelid
                               THEN 'does not belong to the column position any more'
                       END AS unreliable
                FROM SCHEMA.outbox_position_seq, pg_sequence s
                WHERE s.seqrelid = 'SCHEMA.outbox_position_seq'::regclass
                """),
                (row, n) -> new Tail(
                        incarnation(row),
                        row.getString("tables"),
                        row.getLong("position"),
                        row.getString("unreliable"))));
    }

    /**
     * An INSERT takes this lock before its position and keeps it until its transaction has ended. A prepared
     * transaction keeps its name, but has no process any more.
     */
    private Map<String, Writer> openWriters() {
        return housekeeping
                .query(
                        in("""
                        SELECT l.virtualtransaction AS transaction,
                               CASE WHEN l.pid IS NULL THEN 'a prepared transaction, see pg_prepared_xacts'
                                   ELSE format('pid %s, user %s, application "%s"', l.pid, a.usename,
                                               a.application_name)
                                       || coalesce(to_char(a.xact_start AT TIME ZONE 'UTC',
                                                           '", since "YYYY-MM-DD"T"HH24:MI:SS"Z"'), '')
                               END AS session
                        FROM pg_locks l LEFT JOIN pg_stat_activity a ON a.pid = l.pid
                        WHERE l.locktype = 'relation' AND l.mode = 'RowExclusiveLock' AND l.granted
                          AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
                          AND l.relation = 'SCHEMA.outbox'::regclass
                          AND l.pid IS DISTINCT FROM pg_backend_pid()
                        """),
                        (row, n) -> new Writer(row.getString("transaction"), row.getString("session"), Duration.ZERO))
                .stream()
                .collect(Collectors.toMap(Writer::transaction, Function.identity(), (one, same) -> one));
    }

    @Override
    public List<Integer> lanesWithEvents(Map<Integer, Long> floors) {
        return lanes.query(in("""
                SELECT f.lane FROM unnest(?::int[], ?::bigint[]) AS f (lane, floor)
                WHERE (SELECT true FROM SCHEMA.outbox o
                       WHERE o.lane >= f.lane AND o.lane <= f.lane AND o.position > f.floor
                       ORDER BY o.lane, o.position LIMIT 1)
                   OR EXISTS (SELECT FROM SCHEMA.outbox_failure d
                              WHERE d.lane = f.lane AND d.next_attempt_at <= clock_timestamp())
                """), statement -> bind(statement, floors), (row, n) -> row.getInt(1));
    }

    @Override
    public Map<Integer, Long> belowFloors(Map<Integer, Long> floors) {
        Map<Integer, Long> counts = new TreeMap<>();
        housekeeping.query(in("""
                SELECT f.lane, b.n
                FROM unnest(?::int[], ?::bigint[]) AS f (lane, floor), LATERAL (
                    SELECT count(*) AS n FROM (
                        SELECT FROM SCHEMA.outbox o
                        WHERE o.lane >= f.lane AND o.lane <= f.lane AND o.position <= f.floor
                        ORDER BY o.lane, o.position LIMIT MOST_COUNTED) AS counted) AS b
                WHERE b.n > 0
                """), statement -> bind(statement, floors), row -> {
            counts.put(row.getInt(1), row.getLong(2));
        });
        return counts;
    }

    private static void bind(PreparedStatement statement, Map<Integer, Long> floors) throws SQLException {
        List<Map.Entry<Integer, Long>> entries = List.copyOf(floors.entrySet());
        set(statement, 1, "int", entries.stream().map(Map.Entry::getKey));
        set(statement, 2, "bigint", entries.stream().map(Map.Entry::getValue));
    }

    /** In one statement, for it comes once a second. Also names this life of the server, if nobody has. */
    @Override
    public Members heartbeat(String instance, Duration duration, Duration farAhead) {
        return required(housekeeping.queryForObject(
                in("""
                WITH named AS (
                    INSERT INTO SCHEMA.outbox_incarnation SELECT
                    WHERE NOT EXISTS (SELECT FROM SCHEMA.outbox_incarnation) ON CONFLICT DO NOTHING
                ), alive AS (
                    INSERT INTO SCHEMA.outbox_instance (instance, alive_from, alive_until)
                    SELECT ?, now, now + ? * interval '1 millisecond' FROM clock_timestamp() AS now
                    ON CONFLICT (instance) DO UPDATE
                    SET alive_from = excluded.alive_from, alive_until = excluded.alive_until
                ), dead AS (
                    DELETE FROM SCHEMA.outbox_instance WHERE instance = ANY (ARRAY (
                        SELECT instance FROM SCHEMA.outbox_instance
                        WHERE (alive_until < clock_timestamp() - interval '1 hour'
                               OR alive_from > clock_timestamp() + interval '1 hour')
                          AND instance <> ?
                        FOR UPDATE SKIP LOCKED))
                )
                SELECT (SELECT count(*) FROM SCHEMA.outbox_instance
                        WHERE alive_until > clock_timestamp() AND instance <> ?
                          AND alive_from <= clock_timestamp() + ? * interval '1 millisecond') AS others,
                       (SELECT count(*) FROM SCHEMA.outbox_lane) AS lanes
                """),
                Members::besidesTheCaller,
                instance,
                duration.toMillis(),
                instance,
                instance,
                farAhead.toMillis()));
    }

    @Override
    public void goodbye(String instance) {
        housekeeping.update(in("DELETE FROM SCHEMA.outbox_instance WHERE instance = ?"), instance);
    }

    @Override
    public List<OwnedLane> renewUnlocked(String instance, Collection<Integer> held, Duration duration) {
        return housekeeping.query(
                in("""
                UPDATE SCHEMA.outbox_lane
                SET lease_from = clock_timestamp(), lease_until = clock_timestamp() + ? * interval '1 millisecond'
                WHERE lane = ANY (ARRAY (
                    SELECT lane FROM SCHEMA.outbox_lane WHERE owner = ? AND lane = ANY (?) FOR UPDATE SKIP LOCKED))
                RETURNING lane, epoch
                """),
                statement -> {
                    statement.setLong(1, duration.toMillis());
                    statement.setString(2, instance);
                    set(statement, 3, "int", held.stream());
                },
                (row, n) -> OutboxStore.owned(row, instance));
    }

    @Override
    public List<OwnedLane> owned(String instance, Collection<Integer> held) {
        return housekeeping.query(
                in("SELECT lane, epoch FROM SCHEMA.outbox_lane WHERE owner = ? AND lane = ANY (?)"),
                statement -> {
                    statement.setString(1, instance);
                    set(statement, 2, "int", held.stream());
                },
                (row, n) -> OutboxStore.owned(row, instance));
    }

    /** ARRAY makes the inner statement run once. Joined, it could run for every row and lock more than its limit. */
    @Override
    public List<OwnedLane> acquire(String instance, int most, Duration duration, Duration farAhead) {
        return housekeeping.query(
                in("""
                UPDATE SCHEMA.outbox_lane
                SET owner = ?, epoch = epoch + 1,
                    lease_from = clock_timestamp(), lease_until = clock_timestamp() + ? * interval '1 millisecond'
                WHERE lane = ANY (ARRAY (
                    SELECT lane FROM SCHEMA.outbox_lane
                    WHERE owner IS NULL OR lease_until < clock_timestamp()
                       OR lease_from > clock_timestamp() + ? * interval '1 millisecond'
                    ORDER BY lane LIMIT ? FOR UPDATE SKIP LOCKED))
                RETURNING lane, epoch
                """),
                (row, n) -> OutboxStore.owned(row, instance),
                instance,
                duration.toMillis(),
                farAhead.toMillis(),
                most);
    }

    @Override
    public boolean release(OwnedLane owned) {
        return housekeeping.update(in("""
                        UPDATE SCHEMA.outbox_lane SET owner = NULL, lease_from = NULL, lease_until = NULL
                        WHERE lane = ? AND owner = ? AND epoch = ?
                        """), owned.lane(), owned.owner(), owned.epoch()) == 1;
    }

    @Override
    public List<ByRoute.Rule<Boolean>> pauses() {
        return housekeeping.query(
                in("SELECT aggregate_type, event_type FROM SCHEMA.outbox_pause ORDER BY 1, 2"),
                (row, n) -> new ByRoute.Rule<>(row.getString(1), row.getString(2), true));
    }

    @Override
    public Backlog backlog(Map<Integer, Long> floors) {
        return housekeeping
                .query(
                        in("""
                        SELECT coalesce(sum(n), 0) AS events,
                               coalesce(greatest(extract(epoch FROM clock_timestamp() - min(oldest)), 0), 0)
                                   AS lag_seconds
                        FROM unnest(?::int[], ?::bigint[]) AS f (lane, floor), LATERAL (
                            SELECT count(*) AS n,
                                   (SELECT CASE WHEN isfinite(occurred_at) THEN occurred_at END FROM SCHEMA.outbox o
                                    WHERE o.lane >= f.lane AND o.lane <= f.lane AND o.position > f.floor
                                    ORDER BY o.lane, o.position LIMIT 1) AS oldest
                            FROM (SELECT FROM SCHEMA.outbox o
                                  WHERE o.lane >= f.lane AND o.lane <= f.lane AND o.position > f.floor
                                  ORDER BY o.lane, o.position LIMIT MOST_COUNTED) AS counted) AS b
                        """),
                        statement -> bind(statement, floors),
                        (row, n) -> new Backlog(row.getLong("events"), row.getDouble("lag_seconds")))
                .get(0);
    }

    @Override
    public FailureCounts failures(Collection<Integer> lanes) {
        return FailureCounts.of(housekeeping.query(
                in("""
                SELECT state, count(*) AS events,
                       extract(epoch FROM clock_timestamp()
                                          - min(occurred_at) FILTER (WHERE isfinite(occurred_at))) AS oldest_seconds
                FROM SCHEMA.outbox_failure WHERE lane = ANY (?) AND state <> 'waiting' GROUP BY state
                UNION ALL
                SELECT 'waiting', count(*), 0 FROM (
                    SELECT FROM SCHEMA.outbox_failure WHERE lane = ANY (?) AND state = 'waiting'
                    LIMIT MOST_COUNTED) AS counted
                """),
                statement -> {
                    set(statement, 1, "int", lanes.stream());
                    set(statement, 2, "int", lanes.stream());
                },
                StateCount::read));
    }

    @Override
    public List<Stuck> stuck(Collection<Integer> lanes, int most) {
        return housekeeping.query(
                in("""
                SELECT aggregate_type, event_type, coalesce(reason, state), count(*),
                       sum(count(*)) OVER () = 5000 AS partly
                FROM (SELECT BYTES(aggregate_type, reason), BYTES(event_type, reason), reason, state
                      FROM SCHEMA.outbox_failure
                      WHERE lane = ANY (?) AND state <> 'waiting' LIMIT 5000) AS looked_at
                GROUP BY 1, 2, 3 ORDER BY 4 DESC, 1, 2 LIMIT ?
                """),
                statement -> {
                    set(statement, 1, "int", lanes.stream());
                    statement.setInt(2, most);
                },
                OutboxStore::stuck);
    }

    @Override
    public Retention retain(Duration keep) {
        return required(housekeeping.queryForObject(
                in("SELECT dropped, removed, busy FROM SCHEMA.outbox_retain(? * interval '1 millisecond')"),
                (row, n) -> new Retention(row.getInt("dropped"), row.getInt("removed"), row.getBoolean("busy")),
                keep.toMillis()));
    }

    // Rows that the server cannot send as they are

    private static final String EVENT = """
        position, event_id, TEXT(aggregate_type), TEXT(aggregate_id), TEXT(event_type), octet_length(payload),
        CASE WHEN octet_length(payload) <= ? THEN payload END, TEXT(content_type), TEXT(headers::text), occurred_at,
        lane\
        """;

    private static <T> T readable(Supplier<T> together, Supplier<T> oneByOne) {
        try {
            return together.get();
        } catch (DataAccessException e) {
            if (!isUnreadable(e)) {
                throw e;
            }
            return oneByOne.get();
        }
    }

    private static boolean isUnreadable(DataAccessException e) {
        return e.getMostSpecificCause() instanceof SQLException cause
                && String.valueOf(cause.getSQLState()).startsWith(DATA_EXCEPTION);
    }

    /** The keys of what a statement would have read. */
    private static String keys(String columns, String statement) {
        return "SELECT %s FROM (%s) AS whole ORDER BY 1".formatted(columns, statement);
    }

    private Event unpublished(int lane, long position) {
        return one(
                EVENT,
                " FROM SCHEMA.outbox WHERE lane = ? AND position = ?",
                (row, n) -> EVENTS.event(row, null),
                (row, n) -> EVENTS.unreadable(row, null),
                lane,
                position);
    }

    private DueFailure failure(long id) {
        return one(
                EVENT + ", " + KEPT,
                " FROM SCHEMA.outbox_failure WHERE id = ?",
                (row, n) -> OutboxStore.due(row, EVENTS.event(row, OutboxStore.kept(row))),
                (row, n) -> OutboxStore.due(row, EVENTS.unreadable(row, OutboxStore.kept(row))),
                id);
    }

    /** The aggregate of a failure; empty when the row is gone, or its names are not valid text. */
    private Optional<Aggregate> aggregate(long failure) {
        String from = " FROM SCHEMA.outbox_failure WHERE id = ?";
        return isUtf8("aggregate_type", from, failure) && isUtf8("aggregate_id", from, failure)
                ? lanes
                        .query(
                                in("SELECT convert_to(aggregate_type, 'UTF8')," + " convert_to(aggregate_id, 'UTF8')"
                                        + from),
                                (row, n) -> EventReader.aggregate(row, 1, 2),
                                failure)
                        .stream()
                        .flatMap(Optional::stream)
                        .findFirst()
                : Optional.empty();
    }

    /** A row that is gone by now is an error: what is read must have no holes. The caller asks again. */
    private <T> T one(String columns, String from, RowMapper<T> mapper, RowMapper<T> ofBytes, Object... key) {
        return readable(() -> one(columns.replace("TEXT(", "(") + from, mapper, key), () -> {
            String bytes = TEXT.matcher(columns)
                    .replaceAll(text -> "convert_to(%s, '%s')"
                            .formatted(text.group(1), isUtf8(text.group(1), from, key) ? "UTF8" : "SQL_ASCII"));
            return one(bytes + from, ofBytes, key);
        });
    }

    private <T> T one(String event, RowMapper<T> mapper, Object... key) {
        Object[] values =
                Stream.concat(Stream.of(maxEventBytes), Stream.of(key)).toArray();
        return required(lanes.queryForObject(in("SELECT " + event), mapper, values));
    }

    private boolean isUtf8(String text, String from, Object... key) {
        return readable(
                () -> {
                    lanes.query(in("SELECT convert_to(%s, 'UTF8')".formatted(text) + from), row -> {}, key);
                    return true;
                },
                () -> false);
    }

    private static @Nullable Instant time(ResultSet row, int n) throws SQLException {
        OffsetDateTime time = row.getObject(n, OffsetDateTime.class);
        return time == null ? null : time.toInstant();
    }

    /** The driver sends an array of Long or Integer in binary form, one of Object as text. */
    private static void set(PreparedStatement statement, int n, String type, Stream<?> values) throws SQLException {
        Object[] array = switch (type) {
            case "bigint" -> values.toArray(Long[]::new);
            case "int" -> values.toArray(Integer[]::new);
            default -> values.toArray();
        };
        statement.setArray(n, statement.getConnection().createArrayOf(type, array));
    }

    private static <T> T required(@Nullable T value) {
        return Objects.requireNonNull(value);
    }

    /**
     * Makes a statement read texts in a form that the server can always send: in the place of {@code BYTES(column,
     * reason)} as bytes in UTF-8, under the column's name. In SQL_ASCII, they are the bytes that the server has. In
     * another encoding, a row that failed as unreadable has question marks in the place of all but ASCII, since nothing
     * else could be given back as a parameter.
     */
    static String bytes(String statement) {
        return statement.replaceAll("BYTES\\((\\w+), ([^)]+)\\)", """
                CASE WHEN getdatabaseencoding() = 'SQL_ASCII' THEN convert_to($1, 'SQL_ASCII')
                     WHEN $2 = 'unreadable' AND getdatabaseencoding() <> 'UTF8'
                     THEN convert_to(regexp_replace($1, '[^\\\\x01-\\\\x7f]', '?', 'g'), 'UTF8')
                     ELSE convert_to($1, 'UTF8') END AS $1\
                """);
    }

    /** Puts in the schema, which is the only thing that cannot be bound, and what several statements share. */
    private String in(String statement) {
        return (statement.contains("BYTES(") ? bytes(statement) : statement)
                .replace("KEPT", KEPT)
                .replace("INCARNATION", INCARNATION)
                .replace("SCHEMA", schema)
                .replace("MOST_COUNTED", String.valueOf(OutboxStore.MOST_COUNTED));
    }
}
