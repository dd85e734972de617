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
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDateTime;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.UUID;
import java.util.function.Consumer;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import java.util.stream.LongStream;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;
import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.jdbc.datasource.DataSourceTransactionManager;
import org.springframework.transaction.support.TransactionTemplate;

/**
 * What a running relay asks of MariaDB or MySQL. docs/databases.md lists what differs from PostgreSQL.
 *
 * <p>Every session is at READ COMMITTED: then InnoDB locks the rows that a statement changes and no gaps between them,
 * so that nothing here makes a service's INSERT wait. Time is the database's, in UTC: no statement contains a time of
 * the host. Lists of numbers are part of a statement's text, since there are no arrays.
 */
final class MariaDbOutbox implements OutboxActs {

    static final EventReader EVENTS = new EventReader((row, n) -> uuid(row.getBytes(n)), MariaDbOutbox::time);

    /**
     * Names a life of the server: which server it is, and the second in which it was started, which
     * {@code uuid_short()} has above the count of its calls. The count overflows every 16 million calls; what is
     * remembered is then read once more.
     */
    static final String INCARNATION =
            "concat_ws('/', @@hostname, @@port, @@server_id, @@datadir, (uuid_short() & 0xffffffffffffff) >> 24)";

    private static final String EVENT_COLUMNS = """
        lane, position, event_id, aggregate_type, aggregate_id, event_type, payload, content_type, headers, occurred_at\
        """;

    private static final String FAILURE_COLUMNS = EVENT_COLUMNS + """
        , state, blocking, attempts, failures, next_attempt_at, first_failed_at, failed_at, returned_since, reason,
        detail\
        """;

    private static final int BYTES_OF_AN_ID = 16;
    private static final long MICROS_PER_MILLI = 1_000;
    /** Most aggregates in one statement. */
    private static final int MOST_AT_ONCE = 1_000;

    private final String prefix;
    private final JdbcTemplate lanes;
    private final TransactionTemplate settling;
    private final JdbcTemplate housekeeping;
    private final TransactionTemplate leasing;
    private final OpenTransactions writers;
    private final int maxEventBytes;
    private final boolean retaining;

    MariaDbOutbox(
            String source,
            String schema,
            DataSource lanes,
            DataSource housekeeping,
            int maxEventBytes,
            boolean retaining,
            boolean mySql) {
        this.prefix = prefix(schema);
        this.lanes = new JdbcTemplate(lanes);
        this.settling = new TransactionTemplate(new DataSourceTransactionManager(lanes));
        this.housekeeping = new JdbcTemplate(housekeeping);
        this.leasing = new TransactionTemplate(new DataSourceTransactionManager(housekeeping));
        this.writers = new OpenTransactions(source, schema, housekeeping, mySql);
        this.maxEventBytes = maxEventBytes;
        this.retaining = retaining;
    }

    /**
     * The running sum ends the reading after so many bytes. Payloads are fetched last, by primary key, so that no
     * temporary table has to hold them.
     */
    @Override
    public List<Row> claim(Claim claim) {
        OwnedLane owned = claim.owned();
        List<Object> values = new ArrayList<>(List.of(
                maxEventBytes, owned.lane(), owned.owner(), owned.epoch(), maxEventBytes, owned.lane(), claim.above()));
        String condition = "";
        if (!claim.without().isEmpty()) {
            condition = "AND (aggregate_type, aggregate_id) NOT IN (%s)"
                    .formatted(String.join(
                            ", ", Collections.nCopies(claim.without().size(), "(?, ?)")));
            claim.without().forEach(aggregate -> {
                values.add(aggregate.type());
                values.add(aggregate.id());
            });
        }
        values.add(claim.events());
        values.add(claim.bytes());
        return lanes.query(in("""
                SELECT o.position, o.event_id, o.aggregate_type, o.aggregate_id, o.event_type, w.bytes,
                       CASE WHEN w.bytes <= ? THEN o.payload END AS payload, o.content_type,
                       CASE WHEN octet_length(o.headers) <= 65536 THEN o.headers END AS headers, o.occurred_at,
                       o.lane, held.incarnation
                FROM (
                    SELECT INCARNATION AS incarnation
                    FROM SCHEMA.outbox_lane WHERE lane = ? AND owner = ? AND epoch = ? LIMIT 1) held
                LEFT JOIN (
                    SELECT position, bytes,
                           sum(counted) OVER (ORDER BY position ROWS UNBOUNDED PRECEDING) - counted AS read_before
                    FROM (
                        SELECT position, octet_length(payload) AS bytes,
                               CASE WHEN octet_length(payload) <= ? THEN octet_length(payload) ELSE 0 END AS counted
                        FROM SCHEMA.outbox FORCE INDEX (outbox_lane_position)
                        WHERE lane = ? AND position > ? CONDITION
                        ORDER BY position LIMIT ?) c) w ON w.read_before < ?
                LEFT JOIN SCHEMA.outbox o FORCE INDEX (PRIMARY) ON o.position = w.position
                ORDER BY w.position
                """.replace("CONDITION", condition)), (row, n) -> row(row), values.toArray());
    }

    private static Row row(ResultSet row) throws SQLException {
        Incarnation incarnation = new Incarnation(row.getString("incarnation"));
        row.getLong(1);
        return new Row(incarnation, row.wasNull() ? null : EVENTS.event(row, null));
    }

    @Override
    public int settle(OwnedLane owned, Incarnation incarnation, List<Event> events) {
        if (!retaining) {
            return lanes.update(
                    in("DELETE o FROM SCHEMA.outbox o FORCE INDEX (PRIMARY) WHERE ") + are(events),
                    bound(owned.lane(), events));
        }
        return required(settling.execute(transaction -> {
            if (!lockSharedIfOwned(owned) || !incarnation().continues(incarnation)) {
                return 0;
            }
            List<Long> there = lock(owned.lane(), events);
            if (!there.isEmpty()) {
                retain("outbox", "position", there);
                deleteFromOutbox(there);
            }
            return there.size();
        }));
    }

    /** Shared: a replay locks the rows of all lanes, and so waits for whoever is settling. */
    private boolean lockSharedIfOwned(OwnedLane owned) {
        return !lanes.queryForList(
                        in("SELECT 1 FROM SCHEMA.outbox_lane"
                                + " WHERE lane = ? AND owner = ? AND epoch = ? LOCK IN SHARE MODE"),
                        Integer.class,
                        owned.lane(),
                        owned.owner(),
                        owned.epoch())
                .isEmpty();
    }

    /** Returns the positions of those events that still exist, and keeps others from deleting them. */
    private List<Long> lock(int lane, List<Event> events) {
        return lanes.queryForList(
                in("SELECT o.position FROM SCHEMA.outbox o FORCE INDEX (PRIMARY) WHERE ") + are(events)
                        + " ORDER BY o.position FOR UPDATE",
                Long.class,
                bound(lane, events));
    }

    private static String are(List<Event> events) {
        return "o.position IN (%s) AND o.lane = ? AND (o.position, o.event_id) IN (%s)"
                .formatted(
                        numbers(events.stream().map(Event::position).toList()),
                        events.stream()
                                .map(event -> "(" + event.position() + ", ?)")
                                .collect(Collectors.joining(", ")));
    }

    private static Object[] bound(int lane, List<Event> events) {
        List<Object> values = new ArrayList<>();
        values.add(lane);
        events.forEach(event -> values.add(bytes(event.id())));
        return values.toArray();
    }

    private void retain(String from, String orderedBy, List<Long> rows) {
        lanes.update(in("INSERT INTO SCHEMA.outbox_published (%1$s) SELECT %1$s FROM SCHEMA.%2$s"
                        + " WHERE %3$s IN (%4$s) ORDER BY %3$s")
                .formatted(EVENT_COLUMNS, from, orderedBy, numbers(rows)));
    }

    private void deleteFromOutbox(Collection<Long> positions) {
        lanes.update(in("DELETE o FROM SCHEMA.outbox o FORCE INDEX (PRIMARY) WHERE o.position IN (%s)")
                .formatted(numbers(positions)));
    }

    @Override
    public List<DueFailure> due(Due due) {
        return lanes.query(
                in("""
                SELECT f.position, f.event_id, f.aggregate_type, f.aggregate_id, f.event_type, w.bytes,
                       CASE WHEN w.bytes <= ? THEN f.payload END AS payload, f.content_type,
                       CASE WHEN octet_length(f.headers) <= 65536 THEN f.headers END AS headers,
                       f.occurred_at, f.lane, f.id, f.attempts, f.failures, f.state,
                       f.state = 'waiting' OR f.next_attempt_at IS NOT NULL AS may_go,
                       timestampdiff(MICROSECOND, f.returned_since, utc_timestamp(6)) AS returned_micros
                FROM (
                    SELECT id, bytes,
                           sum(counted) OVER (ORDER BY id ROWS UNBOUNDED PRECEDING) - counted AS read_before
                    FROM (
                        SELECT b.id, octet_length(b.payload) AS bytes,
                               CASE WHEN octet_length(b.payload) <= ? THEN octet_length(b.payload) ELSE 0 END
                                   AS counted
                        FROM (
                            SELECT h.aggregate, h.next_attempt_at, h.id AS head, (
                                SELECT n.id FROM SCHEMA.outbox_failure n FORCE INDEX (outbox_failure_aggregate)
                                WHERE n.aggregate = h.aggregate AND n.blocking = 1
                                ORDER BY n.id LIMIT 1 OFFSET %d) AS too_late
                            FROM SCHEMA.outbox_failure h FORCE INDEX (outbox_failure_due)
                            WHERE h.lane = ? AND h.next_attempt_at <= utc_timestamp(6)
                            ORDER BY h.next_attempt_at LIMIT ?) heads
                        STRAIGHT_JOIN SCHEMA.outbox_failure b FORCE INDEX (outbox_failure_aggregate)
                            ON b.aggregate = heads.aggregate AND b.blocking = 1
                            AND b.id < coalesce(heads.too_late, 9223372036854775807)
                        ORDER BY heads.next_attempt_at, heads.head, b.id LIMIT ?) r) w
                STRAIGHT_JOIN SCHEMA.outbox_failure f FORCE INDEX (PRIMARY) ON f.id = w.id
                WHERE w.read_before < ?
                ORDER BY w.id
                """).formatted(due.eventsPerAggregate()),
                (row, n) -> OutboxStore.due(row, EVENTS.event(row, OutboxStore.kept(row))),
                maxEventBytes,
                maxEventBytes,
                due.lane(),
                due.events(),
                due.events(),
                due.bytes());
    }

    @Override
    public boolean lockIfOwned(OwnedLane owned) {
        return !lanes.queryForList(
                        in("SELECT 1 FROM SCHEMA.outbox_lane WHERE lane = ? AND owner = ? AND epoch = ? FOR UPDATE"),
                        Integer.class,
                        owned.lane(),
                        owned.owner(),
                        owned.epoch())
                .isEmpty();
    }

    @Override
    public Incarnation incarnation() {
        return new Incarnation(lanes.queryForObject(in("SELECT INCARNATION"), String.class));
    }

    @Override
    public Supplier<Set<Aggregate>> blocked(int lane) {
        Set<Aggregate> blocked =
                EventReader.known(lanes.query(in("""
                SELECT aggregate_type, aggregate_id FROM SCHEMA.outbox_failure FORCE INDEX (outbox_failure_state)
                WHERE lane = ? AND state IN ('retrying', 'parked', 'paused') AND blocking = 1
                """), (row, n) -> EventReader.aggregate(row, 1, 2), lane));
        return () -> blocked;
    }

    @Override
    public void removeFailures(List<Long> published) {
        if (retaining) {
            retain("outbox_failure", "id", published);
        }
        lanes.update(in("DELETE FROM SCHEMA.outbox_failure WHERE id IN (%s)").formatted(numbers(published)));
    }

    @Override
    public void updateFailures(List<Failed> failures) {
        String statement = in("""
            UPDATE SCHEMA.outbox_failure
            SET state = ?, blocking = ?, attempts = ?, failures = ?,
                next_attempt_at = utc_timestamp(6) + INTERVAL ? MICROSECOND,
                first_failed_at = coalesce(first_failed_at, utc_timestamp(6)), failed_at = utc_timestamp(6),
                returned_since = CASE WHEN ? THEN coalesce(returned_since, utc_timestamp(6)) END,
                reason = ?, detail = ?
            WHERE id = ? AND attempts = ?
            """);
        failures.forEach(failed -> {
            Event.Kept kept = required(failed.event().kept());
            lanes.update(statement, with(failed, kept.id(), kept.attempts()));
        });
    }

    /** One by one: the driver's batches use a protocol that has no INSERT with a SELECT. */
    @Override
    public void addFailures(int lane, List<Failed> failures) {
        Set<Long> there =
                new HashSet<>(lock(lane, failures.stream().map(Failed::event).toList()));
        String statement = in("""
            INSERT INTO SCHEMA.outbox_failure (FAILURE_COLUMNS)
            SELECT EVENT_COLUMNS, ?, ?, ?, ?, utc_timestamp(6) + INTERVAL ? MICROSECOND,
                   utc_timestamp(6), utc_timestamp(6), CASE WHEN ? THEN utc_timestamp(6) END, ?, ?
            FROM SCHEMA.outbox WHERE position = ?
            """);
        failures.stream()
                .filter(failed -> there.contains(failed.event().position()))
                .forEach(failed ->
                        lanes.update(statement, with(failed, failed.event().position())));
        if (!there.isEmpty()) {
            deleteFromOutbox(there);
        }
    }

    private static @Nullable Object[] with(Failed failed, long... row) {
        List<@Nullable Object> values = new ArrayList<>(Arrays.asList(
                failed.state().toString(),
                failed.blocking(),
                failed.attempts(),
                failed.failures(),
                failed.backoff() == null ? null : micros(failed.backoff()),
                failed.returned(),
                failed.reason().word(),
                failed.detail()));
        LongStream.of(row).forEach(values::add);
        return values.toArray();
    }

    @Override
    public void addFollowers(int lane, List<Event> followers) {
        Set<Long> there = new HashSet<>(lock(lane, followers));
        List<Long> moved =
                followers.stream().map(Event::position).filter(there::contains).toList();
        if (!moved.isEmpty()) {
            lanes.update(in("""
                INSERT INTO SCHEMA.outbox_failure (FAILURE_COLUMNS)
                SELECT EVENT_COLUMNS, 'waiting', true, 0, 0, NULL, NULL, NULL, NULL, NULL, NULL
                FROM SCHEMA.outbox WHERE position IN (POSITIONS) ORDER BY field(position, POSITIONS)
                """).replace("POSITIONS", numbers(moved)));
            deleteFromOutbox(moved);
        }
    }

    @Override
    public void holdBack(int lane, Set<Aggregate> aggregates) {
        holdBack(lanes, prefix, keys(aggregates));
    }

    @Override
    public void moveUp(int lane, Set<Aggregate> aggregates) {
        moveUp(lanes, prefix, keys(aggregates));
    }

    /** By the values of the column {@code aggregate}. Nobody changes the rows in between: the lane's row is locked. */
    static void holdBack(JdbcTemplate database, String prefix, List<byte[]> aggregates) {
        each(aggregates, keys -> {
            List<Long> later = database.queryForList(
                    """
                    SELECT later.id FROM (%s) touched
                    STRAIGHT_JOIN SCHEMA.outbox_failure later FORCE INDEX (outbox_failure_aggregate_state)
                        ON later.aggregate = touched.aggregate AND later.state IN ('retrying', 'parked')
                    WHERE later.next_attempt_at IS NOT NULL AND EXISTS (
                        SELECT 1 FROM SCHEMA.outbox_failure first FORCE INDEX (outbox_failure_aggregate)
                        WHERE first.aggregate = later.aggregate AND first.blocking = 1 AND first.id < later.id)
                    """.replace("SCHEMA.", prefix).formatted(column("aggregate", keys)), Long.class, keys.toArray());
            if (!later.isEmpty()) {
                database.update("""
                    UPDATE SCHEMA.outbox_failure SET state = 'waiting', next_attempt_at = NULL WHERE id IN (%s)
                    """.replace("SCHEMA.", prefix).formatted(numbers(later)));
            }
        });
    }

    /** By the values of the column {@code aggregate}. */
    static void moveUp(JdbcTemplate database, String prefix, List<byte[]> aggregates) {
        each(aggregates, keys -> {
            List<Long> first = database.queryForList(
                    """
                    SELECT id FROM (
                        SELECT (SELECT f.id FROM SCHEMA.outbox_failure f FORCE INDEX (outbox_failure_aggregate)
                                WHERE f.aggregate = touched.aggregate AND f.blocking = 1 ORDER BY f.id LIMIT 1) AS id
                        FROM (%s) touched) firsts
                    WHERE id IS NOT NULL
                    """.replace("SCHEMA.", prefix).formatted(column("aggregate", keys)), Long.class, keys.toArray());
            if (!first.isEmpty()) {
                database.update("""
                    UPDATE SCHEMA.outbox_failure SET state = 'retrying', next_attempt_at = utc_timestamp(6)
                    WHERE id IN (%s) AND state = 'waiting'
                    """.replace("SCHEMA.", prefix).formatted(numbers(first)));
            }
        });
    }

    @Override
    public Set<Aggregate> free(int lane, Set<Aggregate> aggregates) {
        String statement = in("""
            SELECT 1 FROM SCHEMA.outbox_failure FORCE INDEX (outbox_failure_aggregate)
            WHERE aggregate = ? AND blocking = 1 LIMIT 1
            """);
        return aggregates.stream()
                .filter(aggregate -> lanes.queryForList(statement, Integer.class, (Object) key(aggregate))
                        .isEmpty())
                .collect(Collectors.toSet());
    }

    private static void each(List<byte[]> aggregates, Consumer<List<byte[]>> work) {
        for (int from = 0; from < aggregates.size(); from += MOST_AT_ONCE) {
            work.accept(aggregates.subList(from, Math.min(aggregates.size(), from + MOST_AT_ONCE)));
        }
    }

    private static List<byte[]> keys(Collection<Aggregate> aggregates) {
        return aggregates.stream().map(MariaDbOutbox::key).toList();
    }

    @Override
    public int resume(int lane) {
        Map<Long, Aggregate> resumed = new HashMap<>();
        lanes.query(
                in("""
                SELECT id, aggregate_type, aggregate_id
                FROM SCHEMA.outbox_failure f FORCE INDEX (outbox_failure_state)
                WHERE f.lane = ? AND f.state = 'paused' AND NOT EXISTS (
                    SELECT 1 FROM SCHEMA.outbox_pause p
                    WHERE p.aggregate_type IN ('*', f.aggregate_type) AND p.event_type IN ('*', f.event_type))
                LIMIT 1000
                """),
                row -> {
                    resumed.put(row.getLong(1), new Aggregate(row.getString(2), row.getString(3)));
                },
                lane);
        if (!resumed.isEmpty()) {
            lanes.update(in("UPDATE SCHEMA.outbox_failure SET state = 'waiting' WHERE id IN (%s)")
                    .formatted(numbers(resumed.keySet())));
            moveUp(lane, new HashSet<>(resumed.values()));
        }
        return resumed.size();
    }

    @Override
    public Closed closed() {
        return writers.closed();
    }

    @Override
    public Look lookAtWriters(long now) {
        return writers.look(now);
    }

    /** A SELECT of constants for each lane: a floor from a table would not be looked up in the index. */
    @Override
    public List<Integer> lanesWithEvents(Map<Integer, Long> floors) {
        return lanes.queryForList(union(floors, """
                SELECT %1$d FROM DUAL WHERE EXISTS (
                    SELECT 1 FROM SCHEMA.outbox FORCE INDEX (outbox_lane_position)
                    WHERE lane = %1$d AND position > %2$d)
                OR EXISTS (
                    SELECT 1 FROM SCHEMA.outbox_failure FORCE INDEX (outbox_failure_due)
                    WHERE lane = %1$d AND next_attempt_at <= utc_timestamp(6))
                """), Integer.class);
    }

    @Override
    public Map<Integer, Long> belowFloors(Map<Integer, Long> floors) {
        Map<Integer, Long> counts = new TreeMap<>();
        housekeeping.query("SELECT lane, n FROM (%s) b WHERE n > 0".formatted(union(floors, """
                SELECT %1$d AS lane, count(*) AS n
                FROM (SELECT 1 FROM SCHEMA.outbox FORCE INDEX (outbox_lane_position)
                      WHERE lane = %1$d AND position <= %2$d LIMIT %3$d) counted%1$d
                """)), row -> {
            counts.put(row.getInt(1), row.getLong(2));
        });
        return counts;
    }

    private String union(Map<Integer, Long> floors, String each) {
        return floors.entrySet().stream()
                .map(lane -> in(each).formatted(lane.getKey(), lane.getValue(), OutboxStore.MOST_COUNTED))
                .collect(Collectors.joining(" UNION ALL "));
    }

    @Override
    public Members heartbeat(String instance, Duration duration, Duration farAhead) {
        housekeeping.update(in("""
                INSERT INTO SCHEMA.outbox_instance (instance, alive_from, alive_until)
                VALUES (?, utc_timestamp(6), utc_timestamp(6) + INTERVAL ? MICROSECOND)
                ON DUPLICATE KEY UPDATE alive_from = VALUES(alive_from), alive_until = VALUES(alive_until)
                """), instance, micros(duration));
        housekeeping.update(in("""
                DELETE FROM SCHEMA.outbox_instance
                WHERE (alive_until < utc_timestamp(6) - INTERVAL 1 HOUR
                       OR alive_from > utc_timestamp(6) + INTERVAL 1 HOUR)
                  AND instance <> ?
                """), instance);
        return required(housekeeping.queryForObject(in("""
                SELECT (SELECT count(*) FROM SCHEMA.outbox_instance
                        WHERE alive_until > utc_timestamp(6) AND instance <> ?
                          AND alive_from <= utc_timestamp(6) + INTERVAL ? MICROSECOND) AS others,
                       (SELECT count(*) FROM SCHEMA.outbox_lane) AS lanes
                """), Members::besidesTheCaller, instance, micros(farAhead)));
    }

    @Override
    public void goodbye(String instance) {
        housekeeping.update(in("DELETE FROM SCHEMA.outbox_instance WHERE instance = ?"), instance);
    }

    @Override
    public List<OwnedLane> renewUnlocked(String instance, Collection<Integer> held, Duration duration) {
        return required(leasing.execute(transaction -> {
            List<OwnedLane> owned = housekeeping.query(
                    in("""
                    SELECT lane, epoch FROM SCHEMA.outbox_lane FORCE INDEX (PRIMARY)
                    WHERE owner = ? AND lane IN (%s) ORDER BY lane FOR UPDATE SKIP LOCKED
                    """).formatted(numbers(held)), (row, n) -> OutboxStore.owned(row, instance), instance);
            if (!owned.isEmpty()) {
                housekeeping.update(in("""
                        UPDATE SCHEMA.outbox_lane
                        SET lease_from = utc_timestamp(6), lease_until = utc_timestamp(6) + INTERVAL ? MICROSECOND
                        WHERE lane IN (%s)
                        """).formatted(lanes(owned)), micros(duration));
            }
            return owned;
        }));
    }

    @Override
    public List<OwnedLane> owned(String instance, Collection<Integer> held) {
        return housekeeping.query(
                in("SELECT lane, epoch FROM SCHEMA.outbox_lane WHERE owner = ? AND lane IN (%s)")
                        .formatted(numbers(held)),
                (row, n) -> OutboxStore.owned(row, instance),
                instance);
    }

    @Override
    public List<OwnedLane> acquire(String instance, int most, Duration duration, Duration farAhead) {
        return required(leasing.execute(transaction -> {
            List<OwnedLane> free =
                    housekeeping.query(in("""
                    SELECT lane, epoch FROM SCHEMA.outbox_lane FORCE INDEX (PRIMARY)
                    WHERE owner IS NULL OR lease_until < utc_timestamp(6)
                       OR lease_from > utc_timestamp(6) + INTERVAL ? MICROSECOND
                    ORDER BY lane LIMIT ? FOR UPDATE SKIP LOCKED
                    """), (row, n) -> OutboxStore.owned(row, instance), micros(farAhead), most);
            if (!free.isEmpty()) {
                housekeeping.update(in("""
                        UPDATE SCHEMA.outbox_lane
                        SET owner = ?, epoch = epoch + 1,
                            lease_from = utc_timestamp(6), lease_until = utc_timestamp(6) + INTERVAL ? MICROSECOND
                        WHERE lane IN (%s)
                        """).formatted(lanes(free)), instance, micros(duration));
            }
            return free.stream()
                    .map(lane -> new OwnedLane(lane.lane(), instance, lane.epoch() + 1))
                    .toList();
        }));
    }

    private static String lanes(List<OwnedLane> lanes) {
        return numbers(lanes.stream().map(OwnedLane::lane).toList());
    }

    @Override
    public boolean release(OwnedLane owned) {
        return housekeeping.update(
                        in("UPDATE SCHEMA.outbox_lane SET owner = NULL, lease_from = NULL, lease_until = NULL"
                                + " WHERE lane = ? AND owner = ? AND epoch = ?"),
                        owned.lane(),
                        owned.owner(),
                        owned.epoch())
                == 1;
    }

    @Override
    public List<ByRoute.Rule<Boolean>> pauses() {
        return housekeeping.query(
                in("SELECT aggregate_type, event_type FROM SCHEMA.outbox_pause ORDER BY 1, 2"),
                (row, n) -> new ByRoute.Rule<>(row.getString(1), row.getString(2), true));
    }

    @Override
    public Backlog backlog(Map<Integer, Long> floors) {
        return required(housekeeping.queryForObject(
                """
                SELECT coalesce(sum(n), 0) AS events, coalesce(greatest(max(age), 0), 0) / 1e6 AS lag_seconds
                FROM (%s) b
                """.formatted(union(floors, """
                SELECT count(*) AS n, (
                    SELECT timestampdiff(MICROSECOND, occurred_at, utc_timestamp(6))
                    FROM SCHEMA.outbox FORCE INDEX (outbox_lane_position)
                    WHERE lane = %1$d AND position > %2$d ORDER BY position LIMIT 1) AS age
                FROM (SELECT 1 FROM SCHEMA.outbox FORCE INDEX (outbox_lane_position)
                      WHERE lane = %1$d AND position > %2$d LIMIT %3$d) counted%1$d
                """)),
                (row, n) -> new Backlog(row.getLong("events"), row.getDouble("lag_seconds"))));
    }

    @Override
    public FailureCounts failures(Collection<Integer> lanes) {
        return FailureCounts.of(housekeeping.query(
                in("""
                SELECT state, count(*) AS events,
                       max(timestampdiff(MICROSECOND, occurred_at, utc_timestamp(6))) / 1e6 AS oldest_seconds
                FROM SCHEMA.outbox_failure FORCE INDEX (outbox_failure_state)
                WHERE lane IN (LANES) AND state IN ('retrying', 'parked', 'paused') GROUP BY state
                UNION ALL
                SELECT 'waiting', count(*), 0 FROM (
                    SELECT 1 FROM SCHEMA.outbox_failure FORCE INDEX (outbox_failure_state)
                    WHERE lane IN (LANES) AND state = 'waiting' LIMIT MOST_COUNTED) counted
                """)
                        .replace("LANES", numbers(lanes))
                        .replace("MOST_COUNTED", String.valueOf(OutboxStore.MOST_COUNTED)),
                StateCount::read));
    }

    @Override
    public List<Stuck> stuck(Collection<Integer> lanes, int most) {
        return housekeeping.query(in("""
                SELECT aggregate_type, event_type, coalesce(reason, state) AS why, count(*) AS events,
                       sum(count(*)) OVER () = 5000 AS partly
                FROM (SELECT aggregate_type, event_type, reason, state
                      FROM SCHEMA.outbox_failure FORCE INDEX (outbox_failure_state)
                      WHERE lane IN (%s) AND state IN ('retrying', 'parked', 'paused') LIMIT 5000) looked_at
                GROUP BY aggregate_type, event_type, why ORDER BY events DESC, aggregate_type, event_type LIMIT ?
                """).formatted(numbers(lanes)), OutboxStore::stuck, most);
    }

    /** There are no partitions to drop: the oldest rows are deleted, so many at once. */
    @Override
    public Retention retain(Duration keep) {
        int removed = housekeeping.update(in("""
                DELETE FROM SCHEMA.outbox_published WHERE published_at < utc_timestamp(6) - INTERVAL ? MICROSECOND
                ORDER BY published_at LIMIT ?
                """), micros(keep), Retention.MOST_ROWS);
        return new Retention(0, removed, false);
    }

    /**
     * Returns what stands before the name of a table.
     *
     * @param schema of the outbox; {@code public} is the database that a connection is in
     * @throws IllegalArgumentException if it is not a plain lower-case name
     */
    static String prefix(String schema) {
        return Dialect.plainName(schema).equals("public") ? "" : schema + ".";
    }

    /** A table with one column of so many values to bind. */
    private static String column(String name, Collection<?> values) {
        return "SELECT ? AS " + name + " UNION ALL SELECT ?".repeat(values.size() - 1);
    }

    private static String numbers(Collection<? extends Number> values) {
        return values.stream().map(String::valueOf).collect(Collectors.joining(", "));
    }

    static byte[] bytes(UUID id) {
        return ByteBuffer.allocate(BYTES_OF_AN_ID)
                .putLong(id.getMostSignificantBits())
                .putLong(id.getLeastSignificantBits())
                .array();
    }

    static UUID uuid(byte[] bytes) {
        ByteBuffer id = ByteBuffer.wrap(bytes);
        return new UUID(id.getLong(), id.getLong());
    }

    /** The value of the column {@code aggregate}: the SHA-256 of type, U+001F and id. */
    static byte[] key(Aggregate aggregate) {
        try {
            return MessageDigest.getInstance("SHA-256")
                    .digest((aggregate.type() + '\u001f' + aggregate.id()).getBytes(StandardCharsets.UTF_8));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("This Java has no SHA-256, which every Java has to have", e);
        }
    }

    /** Null for a date that no calendar has, such as that of all zeros. */
    private static @Nullable Instant time(ResultSet row, int n) throws SQLException {
        LocalDateTime time = row.getObject(n, LocalDateTime.class);
        return time == null ? null : time.toInstant(ZoneOffset.UTC);
    }

    private static long micros(Duration duration) {
        return duration.toMillis() * MICROS_PER_MILLI;
    }

    private static <T> T required(@Nullable T value) {
        return Objects.requireNonNull(value);
    }

    /** Puts in the database, which is the only thing that cannot be bound, and what several statements share. */
    private String in(String statement) {
        return statement
                .replace("INCARNATION", INCARNATION)
                .replace("FAILURE_COLUMNS", FAILURE_COLUMNS)
                .replace("EVENT_COLUMNS", EVENT_COLUMNS)
                .replace("SCHEMA.", prefix);
    }
}
