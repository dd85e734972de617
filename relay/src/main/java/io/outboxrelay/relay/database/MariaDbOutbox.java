package io.outboxrelay.relay.database;

import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import io.outboxrelay.relay.lane.Aggregate;
import io.outboxrelay.relay.lane.ByRoute;
import io.outboxrelay.relay.lane.Event;
import io.outboxrelay.relay.lane.FailurePolicy.Failed;
import io.outboxrelay.relay.lane.Incarnation;
import io.outboxrelay.relay.lane.OwnedLane;
import io.outboxrelay.schema.OutboxSchema;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;
import org.springframework.jdbc.core.ConnectionCallback;
import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.jdbc.datasource.DataSourceTransactionManager;
import org.springframework.transaction.support.TransactionTemplate;

/**
 * All statements of a running relay on one outbox. Thread-safe; every method is one statement in a transaction of its own,
 * or a few of them that hold a lane's row or read only, and throws a {@link org.springframework.dao.DataAccessException} when
 * the database does not answer, or has ended a transaction as a deadlock: then all of it is undone, and the caller asks again.
 *
 * <p>Claims and settling go through one pool, everything else through another, so that lanes that wait for a connection
 * never keep their own leases from being renewed.
 */
final class MariaDbOutbox implements OutboxStore {

    private static final ByRoute.Rule<Boolean> EVERYTHING = new ByRoute.Rule<>(ByRoute.ANY, ByRoute.ANY, true);
    /** The lane's own thread holds its row while it writes failures, for milliseconds: another try finds it free. */
    private static final int TRIES_TO_RENEW = 3;

    private static final double MICROS = 1e6;
    private static final long MICROS_PER_MILLI = 1_000;

    private static final String FAILURE_COLUMNS = """
        lane, position, event_id, aggregate_type, aggregate_id, event_type, payload, content_type, headers, occurred_at,
        state, blocking, attempts, failures, next_attempt_at, first_failed_at, failed_at, returned_since, reason, detail\
        """;

    private static final String EVENT_COLUMNS = """
        lane, position, event_id, aggregate_type, aggregate_id, event_type, payload, content_type, headers, occurred_at\
        """;

    static final EventReader EVENTS = new EventReader((row, n) -> Sql.uuid(row.getBytes(n)), Sql::time);

    private final String schema;
    private final String prefix;
    private final JdbcTemplate lanes;
    private final TransactionTemplate laneTransactions;
    private final JdbcTemplate housekeeping;
    private final TransactionTemplate housekeepingTransactions;
    private final MariaDbAggregateOrder order;
    private final OpenTransactions writers;
    private final int maxEventBytes;
    private final boolean retaining;
    private final Timer claims;
    private final Timer settlings;

    /**
     * @param source name of the source, for metrics
     * @param schema database of the outbox; {@code public} for the one that the connections are in
     * @param lanes connections for claiming and settling
     * @param housekeeping connections for everything else
     * @param maxEventBytes larger payloads are not read
     * @param retaining whether what was published is kept in {@code outbox_published} instead of being deleted
     * @param mySql whether it is MySQL
     * @param meters where the time of claims and settling is recorded
     */
    MariaDbOutbox(
            String source,
            String schema,
            DataSource lanes,
            DataSource housekeeping,
            int maxEventBytes,
            boolean retaining,
            boolean mySql,
            MeterRegistry meters) {
        this.schema = schema;
        this.prefix = Sql.prefix(schema);
        this.lanes = new JdbcTemplate(lanes);
        this.laneTransactions = new TransactionTemplate(new DataSourceTransactionManager(lanes));
        this.housekeeping = new JdbcTemplate(housekeeping);
        this.housekeepingTransactions = new TransactionTemplate(new DataSourceTransactionManager(housekeeping));
        this.order = new MariaDbAggregateOrder(prefix);
        this.writers = new OpenTransactions(source, schema, housekeeping, mySql);
        this.maxEventBytes = maxEventBytes;
        this.retaining = retaining;
        this.claims = meters.timer("outbox_relay_claim", "source", source);
        this.settlings = meters.timer("outbox_relay_settle", "source", source);
    }

    private String in(String statement) {
        return statement.replace("SCHEMA.", prefix);
    }

    /**
     * The running sum stops the reading at so many bytes; of a payload that is too large to be published only the size is
     * read. What is read is always a beginning of what is there, without holes: the floor relies on it. Payloads are fetched
     * last, by primary key, so that no temporary table has to hold them; all of it is one statement, and sees one state.
     */
    @Override
    public Optional<Claimed> claim(Claim claim) {
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
        String statement = in("""
            SELECT o.position, o.event_id, o.aggregate_type, o.aggregate_id, o.event_type, w.bytes,
                   CASE WHEN w.bytes <= ? THEN o.payload END AS payload, o.content_type,
                   CASE WHEN octet_length(o.headers) <= 65536 THEN o.headers END AS headers, o.occurred_at,
                   held.incarnation
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
            """).replace("CONDITION", condition).replace("INCARNATION", Sql.INCARNATION);
        List<Row> rows = timed(claims, () -> lanes.query(statement, (row, n) -> row(row), values.toArray()));
        if (rows.isEmpty()) {
            return Optional.empty();
        }
        List<Event> events =
                rows.stream().flatMap(row -> Stream.ofNullable(row.event)).toList();
        long bytes = events.stream()
                .filter(event -> event.payload() != null)
                .mapToLong(Event::payloadBytes)
                .sum();
        return Optional.of(
                new Claimed(rows.get(0).incarnation, events, events.size() < claim.events() && bytes < claim.bytes()));
    }

    /** What a claim reads: an event, or none where the lane has no more than its owner. */
    private record Row(Incarnation incarnation, @Nullable Event event) {}

    private Row row(ResultSet row) throws SQLException {
        Incarnation incarnation = new Incarnation(row.getString("incarnation"));
        row.getLong(1);
        return new Row(incarnation, row.wasNull() ? null : event(row, null));
    }

    @Override
    public int settle(OwnedLane owned, Incarnation incarnation, List<Event> events) {
        int lane = owned.lane();
        if (!retaining) {
            return timed(settlings, () -> delete(lane, events));
        }
        return timed(
                settlings,
                () -> required(laneTransactions.execute(transaction -> {
                    // Shared: a replay takes the rows of all lanes for itself and so waits for whoever is settling.
                    if (lanes.queryForList(
                                            in("SELECT 1 FROM SCHEMA.outbox_lane"
                                                    + " WHERE lane = ? AND owner = ? AND epoch = ? LOCK IN SHARE MODE"),
                                            Integer.class,
                                            lane,
                                            owned.owner(),
                                            owned.epoch())
                                    .isEmpty()
                            || !incarnation().continues(incarnation)) {
                        return 0;
                    }
                    List<Long> there = lock(lane, events);
                    if (!there.isEmpty()) {
                        retain("outbox", "position", there);
                        lanes.update(in("DELETE o FROM SCHEMA.outbox o FORCE INDEX (PRIMARY) WHERE o.position IN (%s)")
                                .formatted(Sql.numbers(there)));
                    }
                    return there.size();
                })));
    }

    /** The id too: a database that fell back, to a replica or a restored one, gives positions out again. */
    private int delete(int lane, List<Event> events) {
        return lanes.update(
                in("DELETE o FROM SCHEMA.outbox o FORCE INDEX (PRIMARY) WHERE ") + are(events), bound(lane, events));
    }

    /** Returns the positions of those events that are there, which nobody else can delete now. */
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
                        Sql.numbers(events.stream().map(Event::position).toList()),
                        events.stream()
                                .map(event -> "(" + event.position() + ", ?)")
                                .collect(Collectors.joining(", ")));
    }

    private static Object[] bound(int lane, List<Event> events) {
        List<Object> values = new ArrayList<>();
        values.add(lane);
        events.forEach(event -> values.add(Sql.bytes(event.id())));
        return values.toArray();
    }

    private void retain(String from, String orderedBy, List<Long> rows) {
        lanes.update(in("INSERT INTO SCHEMA.outbox_published (%1$s) SELECT %1$s FROM SCHEMA.%2$s"
                        + " WHERE %3$s IN (%4$s) ORDER BY %3$s")
                .formatted(EVENT_COLUMNS, from, orderedBy, Sql.numbers(rows)));
    }

    @Override
    public List<Event> due(Due due) {
        Map<Aggregate, Boolean> open = new HashMap<>();
        return lanes
                .query(
                        in("""
                        SELECT f.position, f.event_id, f.aggregate_type, f.aggregate_id, f.event_type, w.bytes,
                               CASE WHEN w.bytes <= ? THEN f.payload END AS payload, f.content_type,
                               CASE WHEN octet_length(f.headers) <= 65536 THEN f.headers END AS headers,
                               f.occurred_at, f.id, f.attempts, f.failures, f.state,
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
                        (row, n) -> new Failure(keptEvent(row), row.getBoolean("may_go")),
                        maxEventBytes,
                        maxEventBytes,
                        due.lane(),
                        due.events(),
                        due.events(),
                        due.bytes())
                .stream()
                // Behind one that a person has to decide about nothing goes on.
                .filter(failure -> open.merge(failure.event.aggregate(), failure.mayGo, Boolean::logicalAnd))
                .map(Failure::event)
                .toList();
    }

    private record Failure(Event event, boolean mayGo) {}

    @Override
    public Optional<Blocked> blocked(OwnedLane owned) {
        // Whoever writes failures holds the lane's row until it is known what becomes of them.
        return required(laneTransactions.execute(transaction -> owns(owned)
                ? Optional.of(new Blocked(
                        incarnation(),
                        EventReader.known(
                                lanes.query(in("""
                        SELECT aggregate_type, aggregate_id FROM SCHEMA.outbox_failure FORCE INDEX (outbox_failure_state)
                        WHERE lane = ? AND state IN ('retrying', 'parked', 'paused') AND blocking = 1
                        """), (row, n) -> EventReader.aggregate(row, 1, 2), owned.lane()))))
                : Optional.<Blocked>empty()));
    }

    private Incarnation incarnation() {
        return new Incarnation(lanes.queryForObject("SELECT " + Sql.INCARNATION, String.class));
    }

    /** Nobody takes the lane and no command changes its failures until the transaction has ended. */
    private boolean owns(OwnedLane owned) {
        return !lanes.queryForList(
                        in("SELECT 1 FROM SCHEMA.outbox_lane WHERE lane = ? AND owner = ? AND epoch = ? FOR UPDATE"),
                        Integer.class,
                        owned.lane(),
                        owned.owner(),
                        owned.epoch())
                .isEmpty();
    }

    @Override
    public Optional<Set<Aggregate>> keep(OwnedLane owned, Incarnation incarnation, Changes changes) {
        return required(laneTransactions.execute(transaction -> {
            if (!owns(owned) || !incarnation().continues(incarnation)) {
                return Optional.empty();
            }
            write(owned.lane(), changes);
            Set<Aggregate> touched = changes.touched();
            order.moveUp(lanes, touched);
            return Optional.of(order.free(lanes, touched));
        }));
    }

    @Override
    public int resume(OwnedLane owned) {
        return required(laneTransactions.execute(transaction -> {
            if (!owns(owned)) {
                return 0;
            }
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
                    owned.lane());
            if (!resumed.isEmpty()) {
                lanes.update(in("UPDATE SCHEMA.outbox_failure SET state = 'waiting' WHERE id IN (%s)")
                        .formatted(Sql.numbers(resumed.keySet())));
                order.moveUp(lanes, resumed.values());
            }
            return resumed.size();
        }));
    }

    @Override
    public ByRoute<Boolean> pauses() {
        List<ByRoute.Rule<Boolean>> rules = housekeeping.query(
                in("SELECT aggregate_type, event_type FROM SCHEMA.outbox_pause ORDER BY 1, 2"),
                (row, n) -> new ByRoute.Rule<>(row.getString(1), row.getString(2), true));
        return new ByRoute<>(rules.contains(EVERYTHING), rules);
    }

    private void write(int lane, Changes changes) {
        if (!changes.published().isEmpty()) {
            remove(changes.published().stream()
                    .map(event -> required(event.kept()).id())
                    .toList());
        }
        List<Failed> again = changes.failed().stream()
                .filter(failed -> failed.event().kept() != null)
                .toList();
        if (!again.isEmpty()) {
            updateFailures(again);
        }
        List<Failed> first = changes.failed().stream()
                .filter(failed -> failed.event().kept() == null)
                .toList();
        if (!first.isEmpty()) {
            addFailures(lane, first);
        }
        if (!changes.failed().isEmpty()) {
            order.holdBack(
                    lanes,
                    changes.failed().stream()
                            .map(failed -> failed.event().aggregate())
                            .toList());
        }
        if (!changes.followers().isEmpty()) {
            addFollowers(lane, changes.followers());
        }
    }

    private void remove(List<Long> published) {
        if (retaining) {
            retain("outbox_failure", "id", published);
        }
        lanes.update(in("DELETE FROM SCHEMA.outbox_failure WHERE id IN (%s)").formatted(Sql.numbers(published)));
    }

    private void updateFailures(List<Failed> failures) {
        String statement = in("""
            UPDATE SCHEMA.outbox_failure
            SET state = ?, blocking = ?, attempts = ?, failures = ?,
                next_attempt_at = utc_timestamp(6) + INTERVAL ? MICROSECOND,
                first_failed_at = coalesce(first_failed_at, utc_timestamp(6)), failed_at = utc_timestamp(6),
                returned_since = CASE WHEN ? THEN coalesce(returned_since, utc_timestamp(6)) END,
                reason = ?, detail = ?
            WHERE id = ? AND attempts = ?
            """);
        // Not if its attempts are others: a person has had it retried meanwhile.
        failures.forEach(failed -> lanes.update(
                statement,
                with(
                        failed,
                        required(failed.event().kept()).id(),
                        required(failed.event().kept()).attempts())));
    }

    /** Moves rows of the outbox to the failures. Their order is the order of their new places. */
    private void addFailures(int lane, List<Failed> failures) {
        Set<Long> there =
                new HashSet<>(lock(lane, failures.stream().map(Failed::event).toList()));
        List<Failed> moved = failures.stream()
                .filter(failed -> there.contains(failed.event().position()))
                .toList();
        String statement = in("""
            INSERT INTO SCHEMA.outbox_failure (FAILURE_COLUMNS)
            SELECT EVENT_COLUMNS, ?, ?, ?, ?, utc_timestamp(6) + INTERVAL ? MICROSECOND,
                   utc_timestamp(6), utc_timestamp(6), CASE WHEN ? THEN utc_timestamp(6) END, ?, ?
            FROM SCHEMA.outbox WHERE position = ?
            """).replace("FAILURE_COLUMNS", FAILURE_COLUMNS).replace("EVENT_COLUMNS", EVENT_COLUMNS);
        // One by one: the driver's batches are a protocol that knows no INSERT with a SELECT.
        moved.forEach(
                failed -> lanes.update(statement, with(failed, failed.event().position())));
        deleteMoved(there);
    }

    private void addFollowers(int lane, List<Event> followers) {
        Set<Long> there = new HashSet<>(lock(lane, followers));
        List<Long> moved =
                followers.stream().map(Event::position).filter(there::contains).toList();
        if (!moved.isEmpty()) {
            lanes.update(in("""
                INSERT INTO SCHEMA.outbox_failure (FAILURE_COLUMNS)
                SELECT EVENT_COLUMNS, 'waiting', true, 0, 0, NULL, NULL, NULL, NULL, NULL, NULL
                FROM SCHEMA.outbox WHERE position IN (POSITIONS) ORDER BY field(position, POSITIONS)
                """)
                    .replace("FAILURE_COLUMNS", FAILURE_COLUMNS)
                    .replace("EVENT_COLUMNS", EVENT_COLUMNS)
                    .replace("POSITIONS", Sql.numbers(moved)));
            deleteMoved(moved);
        }
    }

    private void deleteMoved(Collection<Long> positions) {
        if (!positions.isEmpty()) {
            lanes.update(in("DELETE o FROM SCHEMA.outbox o FORCE INDEX (PRIMARY) WHERE o.position IN (%s)")
                    .formatted(Sql.numbers(positions)));
        }
    }

    private static @Nullable Object[] with(Failed failed, long... row) {
        List<@Nullable Object> values = new ArrayList<>(Arrays.asList(
                failed.state().name().toLowerCase(Locale.ROOT),
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
    public Closed closed() {
        return writers.closed();
    }

    @Override
    public Look lookAtWriters(long now) {
        return writers.look(now);
    }

    /** A statement for each lane, of constants: a floor out of a table would not be looked up in the index. */
    @Override
    public Set<Integer> lanesWithEvents(Map<Integer, Long> floors) {
        String statement = floors.entrySet().stream()
                .map(lane -> in("""
                    SELECT %1$d FROM DUAL WHERE EXISTS (
                        SELECT 1 FROM SCHEMA.outbox FORCE INDEX (outbox_lane_position)
                        WHERE lane = %1$d AND position > %2$d)
                    OR EXISTS (
                        SELECT 1 FROM SCHEMA.outbox_failure FORCE INDEX (outbox_failure_due)
                        WHERE lane = %1$d AND next_attempt_at <= utc_timestamp(6))
                    """).formatted(lane.getKey(), lane.getValue()))
                .collect(Collectors.joining(" UNION ALL "));
        return floors.isEmpty() ? Set.of() : new TreeSet<>(lanes.queryForList(statement, Integer.class));
    }

    @Override
    public OptionalInt schemaVersion() {
        return required(housekeeping.execute((ConnectionCallback<OptionalInt>) this::schemaVersion));
    }

    private OptionalInt schemaVersion(Connection connection) throws SQLException {
        return OutboxSchema.defaults().withSchema(schema).version(connection);
    }

    @Override
    public int numberOfLanes() {
        return required(housekeeping.queryForObject(in("SELECT count(*) FROM SCHEMA.outbox_lane"), Integer.class));
    }

    @Override
    public int heartbeat(String instance, Duration duration) {
        housekeeping.update(in("""
                INSERT INTO SCHEMA.outbox_instance (instance, alive_from, alive_until)
                VALUES (?, utc_timestamp(6), utc_timestamp(6) + INTERVAL ? MICROSECOND)
                ON DUPLICATE KEY UPDATE alive_from = VALUES(alive_from), alive_until = VALUES(alive_until)
                """), instance, micros(duration));
        housekeeping.update(in("""
                DELETE FROM SCHEMA.outbox_instance
                WHERE (alive_until < utc_timestamp(6) - INTERVAL 1 HOUR OR alive_from > utc_timestamp(6) + INTERVAL 1 HOUR)
                  AND instance <> ?
                """), instance);
        // Whoever asks is alive, also when it was frozen since it said so.
        return required(housekeeping.queryForObject(
                in("SELECT 1 + count(*) FROM SCHEMA.outbox_instance WHERE alive_until > utc_timestamp(6)"
                        + " AND alive_from <= utc_timestamp(6) + INTERVAL ? MICROSECOND AND instance <> ?"),
                Integer.class,
                micros(OutboxStore.farAhead(duration)),
                instance));
    }

    @Override
    public void goodbye(String instance) {
        housekeeping.update(in("DELETE FROM SCHEMA.outbox_instance WHERE instance = ?"), instance);
    }

    @Override
    public List<OwnedLane> renew(String instance, Collection<Integer> held, Duration duration) {
        List<OwnedLane> renewed = new ArrayList<>();
        Set<Integer> others = new HashSet<>(held);
        for (int tries = 0; tries < TRIES_TO_RENEW && !others.isEmpty(); tries++) {
            List<OwnedLane> some = renewUnlocked(instance, others, duration);
            some.forEach(lane -> others.remove(lane.lane()));
            renewed.addAll(some);
        }
        return renewed;
    }

    /** Those that nobody holds, so that one that is held does not keep the others from being renewed. */
    private List<OwnedLane> renewUnlocked(String instance, Collection<Integer> held, Duration duration) {
        return required(housekeepingTransactions.execute(transaction -> {
            List<OwnedLane> owned = housekeeping.query(
                    in("""
                    SELECT lane, epoch FROM SCHEMA.outbox_lane FORCE INDEX (PRIMARY)
                    WHERE owner = ? AND lane IN (%s) ORDER BY lane FOR UPDATE SKIP LOCKED
                    """).formatted(Sql.numbers(held)), (row, n) -> ownedBy(instance, row), instance);
            extend(owned, "", duration);
            return owned;
        }));
    }

    @Override
    public List<OwnedLane> owned(String instance, Collection<Integer> held) {
        if (held.isEmpty()) {
            return List.of();
        }
        return housekeeping.query(
                in("SELECT lane, epoch FROM SCHEMA.outbox_lane WHERE owner = ? AND lane IN (%s)")
                        .formatted(Sql.numbers(held)),
                (row, n) -> ownedBy(instance, row),
                instance);
    }

    @Override
    public List<OwnedLane> acquire(String instance, int most, Duration duration) {
        return required(housekeepingTransactions.execute(transaction -> {
            List<OwnedLane> free = housekeeping.query(
                    in("""
                    SELECT lane, epoch FROM SCHEMA.outbox_lane FORCE INDEX (PRIMARY)
                    WHERE owner IS NULL OR lease_until < utc_timestamp(6)
                       OR lease_from > utc_timestamp(6) + INTERVAL ? MICROSECOND
                    ORDER BY lane LIMIT ? FOR UPDATE SKIP LOCKED
                    """), (row, n) -> ownedBy(instance, row), micros(OutboxStore.farAhead(duration)), most);
            extend(free, "owner = ?, epoch = epoch + 1,", duration, instance);
            return free.stream()
                    .map(lane -> new OwnedLane(lane.lane(), instance, lane.epoch() + 1))
                    .toList();
        }));
    }

    private void extend(List<OwnedLane> locked, String more, Duration duration, Object... values) {
        if (locked.isEmpty()) {
            return;
        }
        List<Object> bound = new ArrayList<>(List.of(values));
        bound.add(micros(duration));
        housekeeping.update(
                in("""
                UPDATE SCHEMA.outbox_lane SET %s lease_from = utc_timestamp(6),
                    lease_until = utc_timestamp(6) + INTERVAL ? MICROSECOND
                WHERE lane IN (%s)
                """)
                        .formatted(
                                more,
                                Sql.numbers(locked.stream().map(OwnedLane::lane).toList())),
                bound.toArray());
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
    public Backlog backlog(Map<Integer, Long> floors) {
        if (floors.isEmpty()) {
            return new Backlog(0, 0);
        }
        String each = floors.entrySet().stream()
                .map(lane -> in("""
                    SELECT count(*) AS n, (
                        SELECT timestampdiff(MICROSECOND, occurred_at, utc_timestamp(6)) FROM SCHEMA.outbox FORCE INDEX (outbox_lane_position)
                        WHERE lane = %1$d AND position > %2$d ORDER BY position LIMIT 1) AS age
                    FROM (SELECT 1 FROM SCHEMA.outbox FORCE INDEX (outbox_lane_position)
                          WHERE lane = %1$d AND position > %2$d LIMIT %3$d) counted%1$d
                    """).formatted(lane.getKey(), lane.getValue(), MOST_COUNTED))
                .collect(Collectors.joining(" UNION ALL "));
        return required(housekeeping.queryForObject(
                """
                SELECT coalesce(sum(n), 0) AS events,
                       coalesce(greatest(max(age), 0), 0) AS lag_micros
                FROM (%s) b
                """.formatted(each),
                (row, n) -> new Backlog(row.getLong("events"), row.getLong("lag_micros") / MICROS)));
    }

    @Override
    public Map<Integer, Long> belowFloors(Map<Integer, Long> floors) {
        if (floors.isEmpty()) {
            return Map.of();
        }
        String each = floors.entrySet().stream()
                .map(lane -> in("""
                    SELECT %1$d AS lane, count(*) AS n
                    FROM (SELECT 1 FROM SCHEMA.outbox FORCE INDEX (outbox_lane_position)
                          WHERE lane = %1$d AND position <= %2$d LIMIT %3$d) counted%1$d
                    """).formatted(lane.getKey(), lane.getValue(), MOST_COUNTED))
                .collect(Collectors.joining(" UNION ALL "));
        Map<Integer, Long> counts = new TreeMap<>();
        housekeeping.query("SELECT lane, n FROM (%s) b WHERE n > 0".formatted(each), row -> {
            counts.put(row.getInt(1), row.getLong(2));
        });
        return counts;
    }

    @Override
    public List<Stuck> stuck(Collection<Integer> numbers, int most) {
        if (numbers.isEmpty()) {
            return List.of();
        }
        return housekeeping.query(
                in("""
                SELECT aggregate_type, event_type, coalesce(reason, state) AS why, count(*) AS events,
                       sum(count(*)) OVER () = 5000 AS partly
                FROM (SELECT aggregate_type, event_type, reason, state
                      FROM SCHEMA.outbox_failure FORCE INDEX (outbox_failure_state)
                      WHERE lane IN (%s) AND state IN ('retrying', 'parked', 'paused') LIMIT 5000) looked_at
                GROUP BY aggregate_type, event_type, why ORDER BY events DESC, aggregate_type, event_type LIMIT ?
                """).formatted(Sql.numbers(numbers)),
                (row, n) -> new Stuck(
                        EventReader.shown(row, 1),
                        EventReader.shown(row, 2),
                        row.getString(3),
                        row.getLong(4),
                        row.getBoolean(5)),
                most);
    }

    @Override
    public Map<String, Long> failures(Collection<Integer> numbers) {
        Map<String, Long> counts = new HashMap<>();
        if (numbers.isEmpty()) {
            return counts;
        }
        housekeeping.query(
                in("""
                SELECT state, count(*) FROM SCHEMA.outbox_failure FORCE INDEX (outbox_failure_state)
                WHERE lane IN (LANES) AND state IN ('retrying', 'parked', 'paused') GROUP BY state
                UNION ALL
                SELECT 'waiting', count(*) FROM (
                    SELECT 1 FROM SCHEMA.outbox_failure FORCE INDEX (outbox_failure_state)
                    WHERE lane IN (LANES) AND state = 'waiting' LIMIT MOST_COUNTED) counted
                """).replace("LANES", Sql.numbers(numbers)).replace("MOST_COUNTED", String.valueOf(MOST_COUNTED)),
                row -> {
                    counts.put(row.getString(1), row.getLong(2));
                });
        return counts;
    }

    /** There are no days to drop: the oldest rows go, so many at once. */
    @Override
    public Retention retain(Duration keep) {
        int removed = housekeeping.update(in("""
                DELETE FROM SCHEMA.outbox_published WHERE published_at < utc_timestamp(6) - INTERVAL ? MICROSECOND
                ORDER BY published_at LIMIT ?
                """), micros(keep), Retention.MOST_ROWS);
        return new Retention(0, removed, false);
    }

    private static long micros(Duration duration) {
        return duration.toMillis() * MICROS_PER_MILLI;
    }

    private static Event keptEvent(ResultSet row) throws SQLException {
        return event(
                row,
                new Event.Kept(
                        row.getLong("id"),
                        row.getInt("attempts"),
                        row.getInt("failures"),
                        Duration.of(row.getLong("returned_micros"), ChronoUnit.MICROS),
                        row.getString("state").equals("parked")));
    }

    static Event event(ResultSet row, Event.@Nullable Kept kept) throws SQLException {
        return EVENTS.event(row, kept);
    }

    private static OwnedLane ownedBy(String owner, ResultSet row) throws SQLException {
        return new OwnedLane(row.getInt("lane"), owner, row.getLong("epoch"));
    }

    private static <T> T timed(Timer timer, Supplier<T> work) {
        return required(timer.record(work));
    }

    private static <T> T required(@Nullable T value) {
        return Objects.requireNonNull(value);
    }
}
