package io.outboxrelay.relay.database;

import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import io.outboxrelay.relay.lane.Aggregate;
import io.outboxrelay.relay.lane.ByRoute;
import io.outboxrelay.relay.lane.Event;
import io.outboxrelay.relay.lane.FailurePolicy.Failed;
import io.outboxrelay.relay.lane.Incarnation;
import io.outboxrelay.relay.lane.OwnedLane;
import io.outboxrelay.relay.lane.WriterWatch;
import java.sql.Array;
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
import java.util.Comparator;
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
import org.springframework.jdbc.datasource.DataSourceTransactionManager;
import org.springframework.transaction.support.TransactionTemplate;

/**
 * All statements of a running relay on one outbox. Thread-safe; every method is one statement in a transaction of its
 * own, or with the lane's row locked a few of them, and throws a {@link org.springframework.dao.DataAccessException} when the database does not answer.
 *
 * <p>Claims and settling go through one pool, everything else through another, so that lanes that wait for a connection
 * never keep their own leases from being renewed.
 */
final class PostgresOutbox implements OutboxStore {

    /** The lane's own thread holds its row while it writes failures, for milliseconds: another try finds it free. */
    private static final int TRIES_TO_RENEW = 3;

    private static final int TOO_LONG_FOR_A_NAME = 64;
    private static final ByRoute.Rule<Boolean> EVERYTHING = new ByRoute.Rule<>(ByRoute.ANY, ByRoute.ANY, true);

    /** What is read of a failure besides its event. */
    static final String KEPT = """
        id, attempts, failures, state, state = 'waiting' OR next_attempt_at IS NOT NULL AS may_go,
        CAST(1000 * extract(epoch FROM clock_timestamp() - returned_since) AS bigint) AS returned_millis\
        """;

    static final EventReader EVENTS = new EventReader((row, n) -> row.getObject(n, UUID.class), PostgresOutbox::time);

    private static final Set<String> TAKE_EVERY_SIGN = Set.of("UTF8", "SQL_ASCII");
    private static final Pattern NOT_ASCII = Pattern.compile("[^\\x00-\\x7f]");

    private final JdbcTemplate lanes;
    private final TransactionTemplate laneTransactions;
    private final JdbcTemplate housekeeping;
    private final Statements sql;
    private final int maxEventBytes;
    private final boolean retaining;
    private final RowByRow rowByRow;
    private final WriterWatch writers = new WriterWatch();
    private @Nullable Tail lastTail;
    private @Nullable String unreliable;
    private final Timer claims;
    private final Timer settlings;

    /**
     * @param source name of the source, for metrics
     * @param schema database schema of the outbox
     * @param lanes connections for claiming and settling
     * @param housekeeping connections for everything else
     * @param maxEventBytes larger payloads are not read
     * @param retaining whether what was published is kept in {@code outbox_published} instead of being deleted
     * @param meters where the time of claims and settling is recorded
     */
    public PostgresOutbox(
            String source,
            String schema,
            DataSource lanes,
            DataSource housekeeping,
            int maxEventBytes,
            boolean retaining,
            MeterRegistry meters) {
        this.lanes = new JdbcTemplate(lanes);
        this.laneTransactions = new TransactionTemplate(new DataSourceTransactionManager(lanes));
        this.housekeeping = new JdbcTemplate(housekeeping);
        this.sql = new Statements(schema, retaining);
        this.rowByRow = new RowByRow(this.lanes, schema, maxEventBytes);
        this.maxEventBytes = maxEventBytes;
        this.retaining = retaining;
        this.claims = meters.timer("outbox_relay_claim", "source", source);
        this.settlings = meters.timer("outbox_relay_settle", "source", source);
    }

    @Override
    public Optional<Claimed> claim(Claim claim) {
        List<Row> rows = timed(claims, () -> read(claim, claim.without().isEmpty() ? sql.claim : sql.claimWithout));
        if (rows.isEmpty()) {
            return Optional.empty();
        }
        List<Event> events = rows.stream()
                .flatMap(row -> Stream.ofNullable(row.event))
                .sorted(Comparator.comparingLong(Event::position))
                .toList();
        long bytes = events.stream()
                .filter(event -> event.payload() != null)
                .mapToLong(Event::payloadBytes)
                .sum();
        return Optional.of(
                new Claimed(rows.get(0).incarnation, events, events.size() < claim.events() && bytes < claim.bytes()));
    }

    /** What a claim reads: an event, or none where the lane has no more than its owner. */
    private record Row(Incarnation incarnation, @Nullable Event event) {}

    private static boolean isEvent(ResultSet row) throws SQLException {
        row.getLong("position");
        return !row.wasNull();
    }

    private static Incarnation incarnation(ResultSet row) throws SQLException {
        return new Incarnation(row.getString("incarnation"));
    }

    private List<Row> read(Claim claim, String statement) {
        try {
            return lanes.query(
                    statement,
                    bound -> bind(bound, claim),
                    (row, n) -> new Row(incarnation(row), isEvent(row) ? event(row, null) : null));
        } catch (DataAccessException e) {
            if (!RowByRow.helps(e)) {
                throw e;
            }
            return lanes.query(
                    RowByRow.keys("position, incarnation", statement),
                    bound -> bind(bound, claim),
                    (row, n) -> new Row(
                            incarnation(row),
                            isEvent(row) ? rowByRow.unpublished(claim.owned().lane(), row.getLong("position")) : null));
        }
    }

    @Override
    public int settle(OwnedLane owned, Incarnation incarnation, List<Event> events) {
        // The driver sends an array of Long in binary form, one of Object as text.
        Long[] positions = events.stream().map(Event::position).toArray(Long[]::new);
        Object[] ids = events.stream().map(Event::id).toArray();
        return timed(
                settlings,
                () -> lanes.update(sql.settle, statement -> {
                    statement.setArray(1, statement.getConnection().createArrayOf("bigint", positions));
                    statement.setArray(2, statement.getConnection().createArrayOf("uuid", ids));
                    statement.setInt(3, owned.lane());
                    if (retaining) {
                        statement.setString(4, owned.owner());
                        statement.setLong(5, owned.epoch());
                        statement.setString(6, incarnation.name());
                    }
                }));
    }

    @Override
    public List<Event> due(Due due) {
        Map<Aggregate, Boolean> open = new HashMap<>();
        return readDue(due).stream()
                // Behind one that a person has to decide about nothing goes on.
                .filter(failure -> open.merge(failure.event.aggregate(), failure.mayGo, Boolean::logicalAnd))
                .map(Failure::event)
                .toList();
    }

    private List<Failure> readDue(Due due) {
        try {
            return lanes.query(sql.due, bound -> bind(bound, due), (row, n) -> failure(row, event(row, kept(row))));
        } catch (DataAccessException e) {
            if (!RowByRow.helps(e)) {
                throw e;
            }
            return lanes
                    .query(RowByRow.keys("id", sql.due), bound -> bind(bound, due), (row, n) -> row.getLong("id"))
                    .stream()
                    .map(rowByRow::failure)
                    .toList();
        }
    }

    private void bind(PreparedStatement statement, Due due) throws SQLException {
        statement.setInt(1, maxEventBytes);
        statement.setInt(2, maxEventBytes);
        statement.setInt(3, due.lane());
        statement.setInt(4, due.events());
        statement.setInt(5, due.eventsPerAggregate());
        statement.setInt(6, due.events());
        statement.setLong(7, due.bytes());
    }

    /** An event among the failures, and whether it and those behind it may go. */
    record Failure(Event event, boolean mayGo) {}

    static Failure failure(ResultSet row, Event event) throws SQLException {
        return new Failure(event, row.getBoolean("may_go"));
    }

    static Event.Kept kept(ResultSet row) throws SQLException {
        return new Event.Kept(
                row.getLong("id"),
                row.getInt("attempts"),
                row.getInt("failures"),
                Duration.ofMillis(row.getLong("returned_millis")),
                row.getString("state").equals("parked"));
    }

    @Override
    public Optional<Blocked> blocked(OwnedLane owned) {
        // Whoever writes failures holds the lane's row until it is known what becomes of them.
        List<Long> ofBytes = new ArrayList<>();
        Optional<Blocked> blocked = required(laneTransactions.execute(transaction -> owns(owned)
                ? Optional.of(new Blocked(incarnation(), blocked(owned.lane(), ofBytes)))
                : Optional.<Blocked>empty()));
        blocked.ifPresent(all -> ofBytes.forEach(id -> rowByRow.aggregate(id).ifPresent(all.aggregates()::add)));
        return blocked;
    }

    /** Those whose names the server can send; it would fail at others, and with it the transaction. */
    private Set<Aggregate> blocked(int lane, List<Long> others) {
        Set<Aggregate> blocked = new HashSet<>();
        lanes.query(
                sql.blocked,
                row -> {
                    if (row.getBoolean("unreadable")) {
                        others.add(row.getLong("id"));
                    } else {
                        blocked.add(new Aggregate(row.getString("aggregate_type"), row.getString("aggregate_id")));
                    }
                },
                lane);
        return blocked;
    }

    private Incarnation incarnation() {
        return required(lanes.queryForObject(sql.incarnation, (row, n) -> incarnation(row)));
    }

    private boolean owns(OwnedLane owned) {
        return !lanes.query(sql.ownedLane, (row, n) -> row.getString(1), owned.lane(), owned.owner(), owned.epoch())
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
            update(sql.moveUp, owned.lane(), touched);
            return Optional.of(free(owned.lane(), touched));
        }));
    }

    @Override
    public int resume(OwnedLane owned) {
        return required(laneTransactions.execute(transaction -> {
            if (!owns(owned)) {
                return 0;
            }
            List<Long> resumed = lanes.queryForList(sql.resume, Long.class, owned.lane());
            lanes.update(
                    sql.moveUpRows,
                    statement -> statement.setArray(1, array(statement.getConnection(), "bigint", resumed, id -> id)));
            return resumed.size();
        }));
    }

    @Override
    public ByRoute<Boolean> pauses() {
        List<ByRoute.Rule<Boolean>> rules = housekeeping.query(
                sql.pauses, (row, n) -> new ByRoute.Rule<>(row.getString(1), row.getString(2), true));
        return new ByRoute<>(rules.contains(EVERYTHING), rules);
    }

    private void write(int lane, Changes changes) {
        if (!changes.published().isEmpty()) {
            Object[] ids = changes.published().stream()
                    .map(event -> required(event.kept()).id())
                    .toArray();
            lanes.update(
                    sql.removeFailures,
                    statement -> statement.setArray(1, statement.getConnection().createArrayOf("bigint", ids)));
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
            update(
                    sql.holdBack,
                    lane,
                    changes.failed().stream()
                            .map(failed -> failed.event().aggregate())
                            .collect(Collectors.toSet()));
        }
        if (!changes.followers().isEmpty()) {
            addFollowers(lane, changes.followers());
        }
    }

    private void updateFailures(List<Failed> failures) {
        lanes.batchUpdate(sql.updateFailure, failures, failures.size(), (statement, failed) -> {
            statement.setString(1, state(failed));
            statement.setBoolean(2, failed.blocking());
            statement.setInt(3, failed.attempts());
            statement.setInt(4, failed.failures());
            statement.setObject(5, millis(failed.backoff()), Types.BIGINT);
            statement.setBoolean(6, failed.returned());
            statement.setString(7, failed.reason().word());
            statement.setString(8, inEncodingOf(statement.getConnection(), failed.detail()));
            statement.setLong(9, required(failed.event().kept()).id());
            statement.setInt(10, required(failed.event().kept()).attempts());
        });
    }

    private void addFailures(int lane, List<Failed> failures) {
        lanes.update(sql.addFailures, statement -> {
            Connection connection = statement.getConnection();
            statement.setArray(
                    1,
                    array(
                            connection,
                            "bigint",
                            failures,
                            failed -> failed.event().position()));
            statement.setArray(
                    2,
                    array(connection, "uuid", failures, failed -> failed.event().id()));
            statement.setArray(3, array(connection, "text", failures, PostgresOutbox::state));
            statement.setArray(4, array(connection, "boolean", failures, Failed::blocking));
            statement.setArray(5, array(connection, "int", failures, Failed::attempts));
            statement.setArray(6, array(connection, "int", failures, Failed::failures));
            statement.setArray(7, array(connection, "bigint", failures, failed -> millis(failed.backoff())));
            statement.setArray(8, array(connection, "boolean", failures, Failed::returned));
            statement.setArray(
                    9,
                    array(
                            connection,
                            "text",
                            failures,
                            failed -> failed.reason().word()));
            statement.setArray(
                    10, array(connection, "text", failures, failed -> inEncodingOf(connection, failed.detail())));
            statement.setInt(11, lane);
        });
    }

    private void addFollowers(int lane, List<Event> followers) {
        lanes.update(sql.addFollowers, statement -> {
            Connection connection = statement.getConnection();
            statement.setArray(1, array(connection, "bigint", followers, Event::position));
            statement.setArray(2, array(connection, "uuid", followers, Event::id));
            statement.setInt(3, lane);
        });
    }

    private static @Nullable Long millis(@Nullable Duration backoff) {
        return backoff == null ? null : backoff.toMillis();
    }

    private static String state(Failed failed) {
        return failed.state().name().toLowerCase(Locale.ROOT);
    }

    private void update(String statement, int lane, Collection<Aggregate> aggregates) {
        lanes.update(statement, prepared -> bindAggregates(prepared, lane, aggregates));
    }

    private Set<Aggregate> free(int lane, Collection<Aggregate> aggregates) {
        return new HashSet<>(lanes.query(
                sql.free,
                statement -> bindAggregates(statement, lane, aggregates),
                (row, n) -> new Aggregate(row.getString(1), row.getString(2))));
    }

    private static void bindAggregates(PreparedStatement statement, int lane, Collection<Aggregate> aggregates)
            throws SQLException {
        List<Aggregate> named = named(aggregates);
        statement.setArray(1, array(statement.getConnection(), "int", named, aggregate -> lane));
        statement.setArray(2, texts(statement, named, Aggregate::type));
        statement.setArray(3, texts(statement, named, Aggregate::id));
    }

    private static <T> Array array(
            Connection connection, String type, Collection<T> things, Function<T, @Nullable Object> element)
            throws SQLException {
        return connection.createArrayOf(type, things.stream().map(element).toArray());
    }

    @Override
    public Closed closed() {
        return writers.closed();
    }

    @Override
    public Look lookAtWriters(long now) {
        // The position first: whoever took one up to it holds its lock already, or has ended.
        Tail tail = required(housekeeping.queryForObject(
                sql.tail,
                (row, n) -> new Tail(
                        new Incarnation(row.getString("incarnation")),
                        row.getString("tables"),
                        row.getLong("position"),
                        row.getString("unreliable"))));
        if (tail.incarnation().equals(Incarnation.UNKNOWN)) {
            return new Look(Optional.empty(), false, unreliable); // until a heartbeat has named it
        }
        Map<String, WriterWatch.Writer> open = openWriters();
        boolean another = lastTail != null && !tail.continues(lastTail);
        lastTail = tail;
        if (tail.unreliable() != null) {
            // For good: sessions keep the positions that they have taken in advance after the sequence was altered
            // back.
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

    /** The last position that was given out, and what makes sure that the next one is higher. */
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

    private Map<String, WriterWatch.Writer> openWriters() {
        return housekeeping
                .query(
                        sql.writers,
                        (row, n) -> new WriterWatch.Writer(
                                row.getString("transaction"), row.getString("session"), Duration.ZERO))
                .stream()
                .collect(Collectors.toMap(WriterWatch.Writer::transaction, Function.identity(), (one, same) -> one));
    }

    @Override
    public Set<Integer> lanesWithEvents(Map<Integer, Long> floors) {
        Integer[] numbers = floors.keySet().toArray(Integer[]::new);
        Long[] above = floors.values().toArray(Long[]::new);
        return new TreeSet<>(lanes.query(
                sql.lanesWithEvents,
                statement -> {
                    statement.setArray(1, statement.getConnection().createArrayOf("int", numbers));
                    statement.setArray(2, statement.getConnection().createArrayOf("bigint", above));
                },
                (row, n) -> row.getInt(1)));
    }

    @Override
    public OptionalInt schemaVersion() {
        if (required(housekeeping.queryForObject(sql.hasSchemaVersion, Boolean.class))) {
            return OptionalInt.of(required(housekeeping.queryForObject(sql.schemaVersion, Integer.class)));
        }
        return OptionalInt.empty();
    }

    @Override
    public int numberOfLanes() {
        return required(housekeeping.queryForObject(sql.numberOfLanes, Integer.class));
    }

    @Override
    public int heartbeat(String instance, Duration duration) {
        housekeeping.update(sql.nameIncarnation);
        housekeeping.update(sql.heartbeat, instance, duration.toMillis());
        housekeeping.update(sql.removeDeadInstances, instance);
        return required(housekeeping.queryForObject(
                sql.liveInstances,
                Integer.class,
                instance,
                OutboxStore.farAhead(duration).toMillis()));
    }

    @Override
    public void goodbye(String instance) {
        housekeeping.update(sql.goodbye, instance);
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

    private List<OwnedLane> renewUnlocked(String instance, Collection<Integer> held, Duration duration) {
        return housekeeping.query(
                sql.renew,
                prepared -> {
                    prepared.setLong(1, duration.toMillis());
                    prepared.setString(2, instance);
                    prepared.setArray(3, prepared.getConnection().createArrayOf("int", held.toArray()));
                },
                (row, n) -> ownedBy(instance, row));
    }

    @Override
    public List<OwnedLane> owned(String instance, Collection<Integer> held) {
        return housekeeping.query(
                sql.owned,
                statement -> {
                    statement.setString(1, instance);
                    statement.setArray(2, statement.getConnection().createArrayOf("int", held.toArray()));
                },
                (row, n) -> ownedBy(instance, row));
    }

    @Override
    public List<OwnedLane> acquire(String instance, int most, Duration duration) {
        return housekeeping.query(
                sql.acquire,
                statement -> {
                    statement.setString(1, instance);
                    statement.setLong(2, duration.toMillis());
                    statement.setLong(3, OutboxStore.farAhead(duration).toMillis());
                    statement.setInt(4, most);
                },
                (row, n) -> ownedBy(instance, row));
    }

    @Override
    public boolean release(OwnedLane owned) {
        return housekeeping.update(sql.release, owned.lane(), owned.owner(), owned.epoch()) == 1;
    }

    @Override
    public Backlog backlog(Map<Integer, Long> floors) {
        return required(housekeeping.query(
                sql.backlog,
                statement -> {
                    statement.setArray(
                            1,
                            statement
                                    .getConnection()
                                    .createArrayOf("int", floors.keySet().toArray()));
                    statement.setArray(
                            2,
                            statement
                                    .getConnection()
                                    .createArrayOf("bigint", floors.values().toArray()));
                },
                row -> {
                    row.next();
                    return new Backlog(row.getLong("events"), row.getDouble("lag_seconds"));
                }));
    }

    @Override
    public Map<Integer, Long> belowFloors(Map<Integer, Long> floors) {
        Integer[] numbers = floors.keySet().toArray(Integer[]::new);
        Long[] upTo = floors.values().toArray(Long[]::new);
        Map<Integer, Long> counts = new TreeMap<>();
        housekeeping.query(
                sql.belowFloors,
                statement -> {
                    statement.setArray(1, statement.getConnection().createArrayOf("int", numbers));
                    statement.setArray(2, statement.getConnection().createArrayOf("bigint", upTo));
                },
                row -> {
                    counts.put(row.getInt(1), row.getLong(2));
                });
        return counts;
    }

    @Override
    public List<Stuck> stuck(Collection<Integer> numbers, int most) {
        return housekeeping.query(
                sql.stuck,
                statement -> {
                    statement.setArray(1, array(statement.getConnection(), "int", numbers, lane -> lane));
                    statement.setInt(2, most);
                },
                (row, n) -> new Stuck(
                        EventReader.shown(row, 1),
                        EventReader.shown(row, 2),
                        row.getString(3),
                        row.getLong(4),
                        row.getBoolean(5)));
    }

    @Override
    public Map<String, Long> failures(Collection<Integer> numbers) {
        Map<String, Long> counts = new HashMap<>();
        housekeeping.query(
                sql.countFailures,
                statement -> {
                    Array lanesAsked = array(statement.getConnection(), "int", numbers, lane -> lane);
                    statement.setArray(1, lanesAsked);
                    statement.setArray(2, lanesAsked);
                },
                row -> {
                    counts.put(row.getString(1), row.getLong(2));
                });
        return counts;
    }

    @Override
    public Retention retain(Duration keep) {
        return required(housekeeping.queryForObject(
                sql.retain,
                (row, n) -> new Retention(row.getInt("dropped"), row.getInt("removed"), row.getBoolean("busy")),
                keep.toMillis()));
    }

    private void bind(PreparedStatement statement, Claim claim) throws SQLException {
        int n = 0;
        statement.setInt(++n, claim.owned().lane());
        statement.setString(++n, claim.owned().owner());
        statement.setLong(++n, claim.owned().epoch());
        statement.setInt(++n, maxEventBytes);
        statement.setInt(++n, maxEventBytes);
        statement.setLong(++n, claim.above());
        if (!claim.without().isEmpty()) {
            List<Aggregate> named = named(claim.without());
            statement.setArray(++n, texts(statement, named, Aggregate::type));
            statement.setArray(++n, texts(statement, named, Aggregate::id));
        }
        statement.setInt(++n, claim.events());
        statement.setLong(++n, claim.bytes());
    }

    private static List<Aggregate> named(Collection<Aggregate> aggregates) {
        return aggregates.stream().filter(Aggregate::named).toList();
    }

    /** Words that the database takes: one whose encoding has not all signs refuses a parameter with any other. */
    private static String inEncodingOf(Connection connection, String words) {
        try {
            String encoding = connection.unwrap(PGConnection.class).getParameterStatus("server_encoding");
            return TAKE_EVERY_SIGN.contains(String.valueOf(encoding))
                    ? words
                    : NOT_ASCII.matcher(words).replaceAll("?");
        } catch (SQLException e) {
            throw new IllegalStateException("The connection is no PostgreSQL's", e);
        }
    }

    private static Array texts(
            PreparedStatement statement, Collection<Aggregate> aggregates, Function<Aggregate, String> part)
            throws SQLException {
        return statement
                .getConnection()
                .createArrayOf("text", aggregates.stream().map(part).toArray());
    }

    private static @Nullable Instant time(ResultSet row, int n) throws SQLException {
        OffsetDateTime time = row.getObject(n, OffsetDateTime.class);
        return time == null ? null : time.toInstant();
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

    /** The statements, with the schema put in; it is the only thing that cannot be bound. */
    static final class Statements {

        /**
         * Names a life of the server. A crash empties a table that is not logged, and a copy or a standby has none of its
         * rows; a relay's heartbeat then puts a new name there. A restored dump has the name, and the table another number. A
         * server that was stopped in order keeps both, and has lost nothing.
         */
        private static final String INCARNATION = """
            ((SELECT name || '/' || tableoid FROM SCHEMA.outbox_incarnation)
                || '/' || extract(epoch FROM pg_postmaster_start_time()))\
            """;

        private final String schema;

        final String claim;
        final String claimWithout;
        final String settle;
        final String due;
        final String blocked;
        final String ownedLane;
        final String incarnation;
        final String nameIncarnation;
        final String removeFailures;
        final String updateFailure;
        final String addFailures;
        final String addFollowers;
        final String holdBack;
        final String moveUp;
        final String moveUpRows;
        final String free;
        final String countFailures;
        final String stuck;
        final String resume;
        final String pauses;
        final String tail;
        final String writers;
        final String lanesWithEvents;
        final String hasSchemaVersion;
        final String schemaVersion;
        final String numberOfLanes;
        final String heartbeat;
        final String removeDeadInstances;
        final String liveInstances;
        final String goodbye;
        final String renew;
        final String owned;
        final String acquire;
        final String release;
        final String backlog;
        final String belowFloors;
        final String retain;

        Statements(String schema, boolean retaining) {
            if (schema.length() >= TOO_LONG_FOR_A_NAME || !schema.matches("[a-z_][a-z0-9_]*")) {
                throw new IllegalArgumentException("The schema '" + schema
                        + "' is not a plain lower-case name of at most 63 letters, digits and underscores");
            }
            this.schema = schema;
            claim = claim("");
            claimWithout = claim("AND (aggregate_type, aggregate_id) NOT IN (SELECT * FROM unnest(?, ?))");
            // The id too: a database that fell back, to a replica or a restored one, gives positions out again.
            settle = remove(retaining, """
                DELETE FROM SCHEMA.outbox o USING unnest(?, ?) AS confirmed (position, event_id)
                WHERE o.lane = ? AND o.position = confirmed.position AND o.event_id = confirmed.event_id
                """ + (retaining ? """
                  AND EXISTS (
                      SELECT FROM SCHEMA.outbox_lane l WHERE l.lane = o.lane AND l.owner = ? AND l.epoch = ?
                        AND INCARNATION = ?)
                """ : ""), "position");
            // Two comparisons instead of an equality: with that, the order of one aggregate is the order of the primary
            // key too, which is then walked past all the others.
            due = in("""
                SELECT position, event_id, aggregate_type, aggregate_id, event_type, bytes,
                       CASE WHEN bytes <= ? THEN payload END,
                       content_type, headers, occurred_at, KEPT
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
                """.replace("KEPT", KEPT));
            blocked = in("""
                SELECT id, reason IS NOT DISTINCT FROM 'unreadable' AS unreadable,
                       CASE WHEN reason IS DISTINCT FROM 'unreadable' THEN aggregate_type END AS aggregate_type,
                       CASE WHEN reason IS DISTINCT FROM 'unreadable' THEN aggregate_id END AS aggregate_id
                FROM SCHEMA.outbox_failure
                WHERE lane = ? AND state <> 'waiting' AND blocking
                """);
            // Nobody takes the lane and no command changes its failures until the transaction has ended.
            // What it writes has to survive a crash before the floor rises over it: it waits for the disk.
            ownedLane = in("""
                SELECT set_config('synchronous_commit', 'on', true) FROM SCHEMA.outbox_lane
                WHERE lane = ? AND owner = ? AND epoch = ? FOR UPDATE
                """);
            incarnation = in("SELECT INCARNATION AS incarnation");
            nameIncarnation = in("""
                INSERT INTO SCHEMA.outbox_incarnation SELECT
                WHERE NOT EXISTS (SELECT FROM SCHEMA.outbox_incarnation) ON CONFLICT DO NOTHING
                """);
            removeFailures = remove(retaining, "DELETE FROM SCHEMA.outbox_failure o WHERE id = ANY (?)", "id");
            // Not if its attempts are others: a person has had it retried meanwhile.
            updateFailure = in("""
                UPDATE SCHEMA.outbox_failure
                SET state = ?, blocking = ?, attempts = ?, failures = ?,
                    next_attempt_at = clock_timestamp() + ? * interval '1 millisecond',
                    first_failed_at = coalesce(first_failed_at, clock_timestamp()), failed_at = clock_timestamp(),
                    returned_since = CASE WHEN ? THEN coalesce(returned_since, clock_timestamp()) END,
                    reason = ?, detail = ?
                WHERE id = ? AND attempts = ?
                """);
            addFailures = move("""
                unnest(?, ?, ?, ?, ?, ?, ?, ?, ?, ?) WITH ORDINALITY AS f (at, identity, state, blocking, attempts,
                    failures, backoff, returned, reason, detail, n)\
                """, """
                state, blocking, attempts, failures,
                clock_timestamp() + backoff * interval '1 millisecond', clock_timestamp(), clock_timestamp(),
                CASE WHEN returned THEN clock_timestamp() END, reason, detail\
                """);
            addFollowers = move(
                    "unnest(?, ?) WITH ORDINALITY AS f (at, identity, n)",
                    "'waiting', true, 0, 0, NULL::timestamptz, NULL::timestamptz, NULL::timestamptz, NULL::timestamptz, NULL::text, NULL::text");
            holdBack = PostgresAggregateOrder.holdBack(schema, PostgresAggregateOrder.NAMES);
            moveUp = PostgresAggregateOrder.moveUp(schema, PostgresAggregateOrder.NAMES);
            moveUpRows = PostgresAggregateOrder.moveUp(schema, PostgresAggregateOrder.ROWS);
            free = in("""
                SELECT aggregate_type, aggregate_id
                FROM unnest(?::int[], ?::text[], ?::text[]) AS touched (lane, aggregate_type, aggregate_id)
                WHERE NOT EXISTS (
                    SELECT FROM SCHEMA.outbox_failure f
                    WHERE f.blocking AND f.lane = touched.lane AND f.aggregate_type = touched.aggregate_type
                      AND f.aggregate_id = touched.aggregate_id)
                """);
            countFailures = in("""
                SELECT state, count(*) FROM SCHEMA.outbox_failure
                WHERE lane = ANY (?) AND state <> 'waiting' GROUP BY state
                UNION ALL
                SELECT 'waiting', count(*) FROM (
                    SELECT FROM SCHEMA.outbox_failure WHERE lane = ANY (?) AND state = 'waiting'
                    LIMIT MOST_COUNTED) AS counted
                """);
            stuck = in("""
                SELECT aggregate_type, event_type, coalesce(reason, state), count(*),
                       sum(count(*)) OVER () = 5000 AS partly
                FROM (SELECT BYTES(aggregate_type, reason), BYTES(event_type, reason), reason, state FROM SCHEMA.outbox_failure
                      WHERE lane = ANY (?) AND state <> 'waiting' LIMIT 5000) AS looked_at
                GROUP BY 1, 2, 3 ORDER BY 4 DESC, 1, 2 LIMIT ?
                """);
            resume = in("""
                UPDATE SCHEMA.outbox_failure SET state = 'waiting'
                WHERE id = ANY (ARRAY (
                    SELECT id FROM SCHEMA.outbox_failure f
                    WHERE f.lane = ? AND f.state <> 'waiting' AND f.state = 'paused' AND NOT EXISTS (
                        SELECT FROM SCHEMA.outbox_pause p
                        WHERE p.aggregate_type IN ('*', f.aggregate_type) AND p.event_type IN ('*', f.event_type))
                    LIMIT 1000))
                RETURNING id
                """);
            pauses = in("SELECT aggregate_type, event_type FROM SCHEMA.outbox_pause ORDER BY 1, 2");
            // Before the first position is taken, last_value is that position. A table that was made anew or a
            // restarted
            // sequence begins again. What the floor relies on: a session takes one position at a time, when it writes,
            // and
            // each is higher than all before it.
            tail = in("""
                SELECT CASE WHEN is_called THEN last_value ELSE last_value - 1 END AS position,
                       INCARNATION AS incarnation,
                       format('%s/%s', 'SCHEMA.outbox'::regclass::oid,
                              pg_relation_filenode('SCHEMA.outbox_position_seq')) AS tables,
                       CASE
                           WHEN s.seqcache <> 1 THEN format('caches %s positions in each session (CACHE 1 is needed)', s.seqcache)
                           WHEN s.seqincrement < 1 THEN format('counts by %s (INCREMENT BY 1 is needed)', s.seqincrement)
                           WHEN s.seqcycle THEN 'begins again at its end (NO CYCLE is needed)'
                           WHEN pg_get_serial_sequence('SCHEMA.outbox', 'position')::regclass IS DISTINCT FROM s.seqrelid
                               THEN 'does not belong to the column position any more'
                       END AS unreliable
                FROM SCHEMA.outbox_position_seq, pg_sequence s
                WHERE s.seqrelid = 'SCHEMA.outbox_position_seq'::regclass
                """);
            // An INSERT takes this lock before its position and keeps it until its transaction has ended. A transaction
            // that is prepared keeps its name, but has no process any more.
            writers = in("""
                SELECT l.virtualtransaction AS transaction,
                       CASE WHEN l.pid IS NULL THEN 'a prepared transaction, see pg_prepared_xacts'
                           ELSE format('pid %s, user %s, application "%s"', l.pid, a.usename, a.application_name)
                               || coalesce(to_char(a.xact_start AT TIME ZONE 'UTC', '", since "YYYY-MM-DD"T"HH24:MI:SS"Z"'), '')
                       END AS session
                FROM pg_locks l LEFT JOIN pg_stat_activity a ON a.pid = l.pid
                WHERE l.locktype = 'relation' AND l.mode = 'RowExclusiveLock' AND l.granted
                  AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
                  AND l.relation = 'SCHEMA.outbox'::regclass
                  AND l.pid IS DISTINCT FROM pg_backend_pid()
                """);
            lanesWithEvents = in("""
                SELECT f.lane FROM unnest(?::int[], ?::bigint[]) AS f (lane, floor)
                WHERE (SELECT true FROM SCHEMA.outbox o
                       WHERE o.lane >= f.lane AND o.lane <= f.lane AND o.position > f.floor
                       ORDER BY o.lane, o.position LIMIT 1)
                   OR EXISTS (SELECT FROM SCHEMA.outbox_failure d
                              WHERE d.lane = f.lane AND d.next_attempt_at <= clock_timestamp())
                """);
            hasSchemaVersion = in("SELECT to_regprocedure('SCHEMA.outbox_schema_version()') IS NOT NULL");
            schemaVersion = in("SELECT SCHEMA.outbox_schema_version()");
            numberOfLanes = in("SELECT count(*) FROM SCHEMA.outbox_lane");
            heartbeat = in("""
                INSERT INTO SCHEMA.outbox_instance (instance, alive_from, alive_until)
                SELECT ?, now, now + ? * interval '1 millisecond' FROM clock_timestamp() AS now
                ON CONFLICT (instance) DO UPDATE SET alive_from = excluded.alive_from, alive_until = excluded.alive_until
                """);
            removeDeadInstances = in("""
                DELETE FROM SCHEMA.outbox_instance
                WHERE (alive_until < clock_timestamp() - interval '1 hour' OR alive_from > clock_timestamp() + interval '1 hour')
                  AND instance <> ?
                """);
            // Whoever asks is alive, also when it was frozen since it said so.
            liveInstances = in("""
                SELECT 1 + count(*) FROM SCHEMA.outbox_instance
                WHERE alive_until > clock_timestamp() AND instance <> ?
                  AND alive_from <= clock_timestamp() + ? * interval '1 millisecond'
                """);
            goodbye = in("DELETE FROM SCHEMA.outbox_instance WHERE instance = ?");
            // Locked in the order that commands lock them in, or the two could wait for each other.
            // Those that nobody holds, so that one that is held does not keep the others from being renewed.
            renew = in("""
                UPDATE SCHEMA.outbox_lane
                SET lease_from = clock_timestamp(), lease_until = clock_timestamp() + ? * interval '1 millisecond'
                WHERE lane = ANY (ARRAY (
                    SELECT lane FROM SCHEMA.outbox_lane WHERE owner = ? AND lane = ANY (?) FOR UPDATE SKIP LOCKED))
                RETURNING lane, epoch
                """);
            owned = in("SELECT lane, epoch FROM SCHEMA.outbox_lane WHERE owner = ? AND lane = ANY (?)");
            // A lease that begins in the future was given before the clock went back: nobody waits for its end.
            // ARRAY makes the inner statement run once; joined, it could run for every row and lock more than its
            // limit.
            acquire = in("""
                UPDATE SCHEMA.outbox_lane
                SET owner = ?, epoch = epoch + 1,
                    lease_from = clock_timestamp(), lease_until = clock_timestamp() + ? * interval '1 millisecond'
                WHERE lane = ANY (ARRAY (
                    SELECT lane FROM SCHEMA.outbox_lane
                    WHERE owner IS NULL OR lease_until < clock_timestamp()
                       OR lease_from > clock_timestamp() + ? * interval '1 millisecond'
                    ORDER BY lane LIMIT ? FOR UPDATE SKIP LOCKED))
                RETURNING lane, epoch
                """);
            release = in("""
                UPDATE SCHEMA.outbox_lane SET owner = NULL, lease_from = NULL, lease_until = NULL
                WHERE lane = ? AND owner = ? AND epoch = ?
                """);
            backlog = in("""
                SELECT coalesce(sum(n), 0) AS events,
                       coalesce(greatest(extract(epoch FROM clock_timestamp() - min(oldest)), 0), 0) AS lag_seconds
                FROM unnest(?::int[], ?::bigint[]) AS f (lane, floor), LATERAL (
                    SELECT count(*) AS n,
                           (SELECT CASE WHEN isfinite(occurred_at) THEN occurred_at END FROM SCHEMA.outbox o
                            WHERE o.lane >= f.lane AND o.lane <= f.lane AND o.position > f.floor
                            ORDER BY o.lane, o.position LIMIT 1) AS oldest
                    FROM (SELECT FROM SCHEMA.outbox o
                          WHERE o.lane >= f.lane AND o.lane <= f.lane AND o.position > f.floor
                          ORDER BY o.lane, o.position LIMIT MOST_COUNTED) AS counted) AS b
                """);
            belowFloors = in("""
                SELECT f.lane, b.n
                FROM unnest(?::int[], ?::bigint[]) AS f (lane, floor), LATERAL (
                    SELECT count(*) AS n FROM (
                        SELECT FROM SCHEMA.outbox o
                        WHERE o.lane >= f.lane AND o.lane <= f.lane AND o.position <= f.floor
                        ORDER BY o.lane, o.position LIMIT MOST_COUNTED) AS counted) AS b
                WHERE b.n > 0
                """);
            retain = in("SELECT dropped, removed, busy FROM SCHEMA.outbox_retain(? * interval '1 millisecond')");
        }

        /**
         * The running sum stops the reading at so many bytes; of a payload that is too large to be published only the
         * size is read. What is read is always a beginning of what is there, without holes: the floor relies on it.
         *
         * <p>Two comparisons instead of an equality: with that, the primary key, which is the position alone, would have
         * the right order too, and could be walked past the events of all other lanes.
         */
        private String claim(String condition) {
            return in("""
                SELECT e.*, held.incarnation
                FROM (
                    SELECT lane, INCARNATION AS incarnation
                    FROM SCHEMA.outbox_lane WHERE lane = ? AND owner = ? AND epoch = ?) AS held
                LEFT JOIN LATERAL (
                    SELECT position, event_id, aggregate_type, aggregate_id, event_type, bytes,
                           CASE WHEN bytes <= ? THEN payload END,
                           content_type, headers, occurred_at
                    FROM (
                        SELECT b.*, sum(read) OVER (ORDER BY lane, position ROWS UNBOUNDED PRECEDING) - read AS read_before
                        FROM (
                            SELECT c.*, CASE WHEN bytes <= ? THEN bytes ELSE 0 END AS read
                            FROM (
                                SELECT o.*, octet_length(payload) AS bytes FROM SCHEMA.outbox o
                                WHERE o.lane >= held.lane AND o.lane <= held.lane AND position > ? CONDITION
                                ORDER BY lane, position LIMIT ?) AS c) AS b) AS r
                    WHERE read_before < ?) AS e ON true
                """.replace("CONDITION", condition));
        }

        /** What was published is deleted, or moves to where it is retained, in the order of its publishing. */
        private String remove(boolean retaining, String delete, String order) {
            return in(!retaining ? delete : """
                WITH settled AS (DELETE RETURNING o.*)
                INSERT INTO SCHEMA.outbox_published (lane, position, event_id, aggregate_type, aggregate_id, event_type,
                    payload, content_type, headers, occurred_at)
                SELECT lane, position, event_id, aggregate_type, aggregate_id, event_type, payload, content_type, headers,
                       occurred_at
                FROM settled ORDER BY ORDER_OF_PUBLISHING
                """.replace("DELETE", delete).replace("ORDER_OF_PUBLISHING", order));
        }

        /** Moves rows of the outbox to the failures. The order of the arrays is the order of their new places. */
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

        private String in(String statement) {
            return Bytes.in(statement)
                    .replace("INCARNATION", INCARNATION)
                    .replace("SCHEMA", schema)
                    .replace("MOST_COUNTED", String.valueOf(MOST_COUNTED));
        }
    }
}
