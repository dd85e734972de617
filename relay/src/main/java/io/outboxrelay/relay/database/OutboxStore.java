package io.outboxrelay.relay.database;

import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import io.outboxrelay.relay.lane.ByRoute;
import io.outboxrelay.relay.lane.Event;
import io.outboxrelay.relay.lane.Event.Aggregate;
import io.outboxrelay.relay.lane.FailurePolicy.Failed;
import io.outboxrelay.relay.lane.LaneStore;
import io.outboxrelay.relay.lane.LaneStore.Incarnation;
import io.outboxrelay.relay.lane.LaneStore.OwnedLane;
import io.outboxrelay.relay.lane.WriterWatch;
import io.outboxrelay.schema.OutboxSchema;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;
import org.springframework.jdbc.core.ConnectionCallback;
import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.jdbc.datasource.DataSourceTransactionManager;
import org.springframework.transaction.support.TransactionTemplate;

/**
 * What a running relay asks of one outbox. Thread-safe. Every method is one statement in a transaction of its own, or a
 * few statements that hold the row of a lane. It throws a {@link org.springframework.dao.DataAccessException} when the
 * database does not answer, or has ended the transaction as a deadlock: then all of it is rolled back, and the caller
 * asks again.
 *
 * <p>Claims and settling use one pool and everything else another, so that lanes that wait for a connection never keep
 * their own leases from being renewed.
 */
public final class OutboxStore implements LaneStore {

    /** Most events that are counted in a lane: a gauge must not become the load that it shows. */
    public static final int MOST_COUNTED = 100_000;

    private static final Duration A_SECOND = Duration.ofSeconds(1);
    private static final ByRoute.Rule<Boolean> EVERYTHING = new ByRoute.Rule<>(ByRoute.ANY, ByRoute.ANY, true);

    /** A lane's own thread holds its row for milliseconds while it writes failures: another try finds it free. */
    private static final int TRIES_TO_RENEW = 3;

    private final String schema;
    private final OutboxActs sql;
    private final TransactionTemplate laneTransactions;
    private final JdbcTemplate housekeeping;
    private final Timer claims;
    private final Timer settlings;

    OutboxStore(
            String source,
            String schema,
            DataSource lanes,
            DataSource housekeeping,
            OutboxActs sql,
            MeterRegistry meters) {
        this.schema = schema;
        this.sql = sql;
        this.laneTransactions = new TransactionTemplate(new DataSourceTransactionManager(lanes));
        this.housekeeping = new JdbcTemplate(housekeeping);
        this.claims = timer(
                meters,
                source,
                "outbox_relay_claim",
                "Seconds to read one batch of a lane from the outbox, empty or not. Rises with the size of batches,"
                        + " with a slow database, and while a writer's transaction stays open.");
        this.settlings = timer(
                meters,
                source,
                "outbox_relay_settle",
                "Seconds to delete the confirmed events of one batch. Rises with a slow or locked database.");
    }

    private static Timer timer(MeterRegistry meters, String source, String name, String description) {
        return Timer.builder(name)
                .description(description)
                .tag("source", source)
                .register(meters);
    }

    @Override
    public Optional<Claimed> claim(Claim claim) {
        List<OutboxActs.Row> rows = timed(claims, () -> sql.claim(claim));
        if (rows.isEmpty()) {
            return Optional.empty();
        }
        List<Event> events = rows.stream()
                .flatMap(row -> Stream.ofNullable(row.event()))
                .sorted(Comparator.comparingLong(Event::position))
                .toList();
        long bytes = events.stream()
                .filter(event -> event.payload() != null)
                .mapToLong(Event::payloadBytes)
                .sum();
        boolean exhausted = events.size() < claim.events() && bytes < claim.bytes();
        return Optional.of(new Claimed(rows.get(0).incarnation(), events, exhausted));
    }

    @Override
    public int settle(OwnedLane owned, Incarnation incarnation, List<Event> events) {
        return timed(settlings, () -> sql.settle(owned, incarnation, events));
    }

    @Override
    public List<Event> due(Due due) {
        Map<Aggregate, Boolean> open = new HashMap<>();
        return sql.due(due).stream()
                // Nothing passes an event that a person has to decide about.
                .filter(failure -> open.merge(failure.event().aggregate(), failure.mayGo(), Boolean::logicalAnd))
                .map(OutboxActs.DueFailure::event)
                .toList();
    }

    @Override
    public Optional<Blocked> blocked(OwnedLane owned) {
        // Whoever writes failures holds the lane's row until the fate of the transaction is known.
        return this.<Supplier<Blocked>>inLane(owned, () -> {
                    Incarnation incarnation = sql.incarnation();
                    Supplier<Set<Aggregate>> aggregates = sql.blocked(owned.lane());
                    return () -> new Blocked(incarnation, aggregates.get());
                })
                .map(Supplier::get);
    }

    @Override
    public Optional<Set<Aggregate>> keep(OwnedLane owned, Incarnation incarnation, Changes changes) {
        return inLane(owned, () -> {
                    if (!sql.incarnation().continues(incarnation)) {
                        return Optional.<Set<Aggregate>>empty();
                    }
                    write(owned.lane(), changes);
                    Set<Aggregate> touched = changes.touched();
                    if (touched.isEmpty()) {
                        return Optional.of(touched);
                    }
                    sql.moveUp(owned.lane(), touched);
                    return Optional.of(sql.free(owned.lane(), touched));
                })
                .orElse(Optional.empty());
    }

    private void write(int lane, Changes changes) {
        if (!changes.published().isEmpty()) {
            sql.removeFailures(changes.published().stream()
                    .map(event -> Objects.requireNonNull(event.kept()).id())
                    .toList());
        }
        List<Failed> again = changes.failed().stream()
                .filter(one -> one.event().kept() != null)
                .toList();
        if (!again.isEmpty()) {
            sql.updateFailures(again);
        }
        List<Failed> first = changes.failed().stream()
                .filter(one -> one.event().kept() == null)
                .toList();
        if (!first.isEmpty()) {
            sql.addFailures(lane, first);
        }
        Set<Aggregate> failed = changes.failed().stream()
                .map(one -> one.event().aggregate())
                .filter(Aggregate::named)
                .collect(Collectors.toSet());
        if (!failed.isEmpty()) {
            sql.holdBack(lane, failed);
        }
        if (!changes.followers().isEmpty()) {
            sql.addFollowers(lane, changes.followers());
        }
    }

    @Override
    public int resume(OwnedLane owned) {
        return inLane(owned, () -> sql.resume(owned.lane())).orElse(0);
    }

    /**
     * Works on a lane while nobody else takes it and no command changes its failures.
     *
     * @return the result; empty when the lane has another owner
     */
    private <T extends Object> Optional<T> inLane(OwnedLane owned, Supplier<T> work) {
        return Objects.requireNonNull(laneTransactions.execute(
                transaction -> sql.lockIfOwned(owned) ? Optional.of(work.get()) : Optional.<T>empty()));
    }

    @Override
    public Closed closed() {
        return sql.closed();
    }

    /**
     * Checks which transactions may still write, and so how far the floor of the lanes may rise. Called by one thread.
     *
     * @param now {@link System#nanoTime()}
     */
    public Look lookAtWriters(long now) {
        return sql.lookAtWriters(now);
    }

    /** Returns what is paused: everything, or the events of certain types. */
    public ByRoute<Boolean> pauses() {
        List<ByRoute.Rule<Boolean>> rules = sql.pauses();
        return new ByRoute<>(rules.contains(EVERYTHING), rules);
    }

    /** Returns the lanes that have events above their floors. */
    public Set<Integer> lanesWithEvents(Map<Integer, Long> floors) {
        return floors.isEmpty() ? Set.of() : new TreeSet<>(sql.lanesWithEvents(floors));
    }

    /** Returns the version of the installed tables; empty when there are none. */
    public OptionalInt schemaVersion() {
        return Objects.requireNonNull(housekeeping.execute((ConnectionCallback<OptionalInt>) this::schemaVersion));
    }

    private OptionalInt schemaVersion(Connection connection) throws SQLException {
        return OutboxSchema.defaults().withSchema(schema).version(connection);
    }

    /**
     * The live relays of an outbox, and the number of lanes that they share.
     *
     * @param relays how many are alive
     * @param lanes how many the outbox was installed with
     */
    public record Members(int relays, int lanes) {

        /** The caller is alive, even if it was frozen since it reported that. */
        static Members besidesTheCaller(ResultSet row, int n) throws SQLException {
            return new Members(1 + row.getInt("others"), row.getInt("lanes"));
        }
    }

    /**
     * Reports that a relay is alive, and removes relays that have not reported for long.
     *
     * @param duration how long the report holds
     * @return the relays that are alive, this one included, and the lanes that they share
     */
    public Members heartbeat(String instance, Duration duration) {
        return sql.heartbeat(instance, duration, farAhead(duration));
    }

    /**
     * Returns how far in the future a valid lease or heartbeat may begin, which is at least a second. One that begins
     * later was given before the clock of the database was set back, and nobody waits for its end.
     */
    private static Duration farAhead(Duration duration) {
        return duration.compareTo(A_SECOND) < 0 ? A_SECOND : duration;
    }

    /** Reports that a relay has ended. */
    public void goodbye(String instance) {
        sql.goodbye(instance);
    }

    /**
     * Renews the leases that a relay still owns, of the lanes that it believes it owns. Does not wait long for a lane
     * whose row is locked, for example by a command: it may be missing from the result although it is owned, see
     * {@link #owned}.
     */
    public List<OwnedLane> renew(String instance, Collection<Integer> held, Duration duration) {
        List<OwnedLane> renewed = new ArrayList<>();
        Set<Integer> others = new HashSet<>(held);
        for (int tries = 0; tries < TRIES_TO_RENEW && !others.isEmpty(); tries++) {
            List<OwnedLane> some = sql.renewUnlocked(instance, others, duration);
            some.forEach(lane -> others.remove(lane.lane()));
            renewed.addAll(some);
        }
        return renewed;
    }

    /**
     * Returns those lanes that a relay still owns, of the lanes that it believes it owns, even if their rows are
     * locked.
     */
    public List<OwnedLane> owned(String instance, Collection<Integer> held) {
        return held.isEmpty() ? List.of() : sql.owned(instance, held);
    }

    /** Takes at most so many lanes that have no owner or whose lease has ended. */
    public List<OwnedLane> acquire(String instance, int most, Duration duration) {
        return sql.acquire(instance, most, duration, farAhead(duration));
    }

    /** Releases a lane. Returns whether it still had this owner and epoch. */
    public boolean release(OwnedLane owned) {
        return sql.release(owned);
    }

    /** Counts the unconfirmed events of lanes, which are above their floors. */
    public Backlog backlog(Map<Integer, Long> floors) {
        return floors.isEmpty() ? new Backlog(0, 0) : sql.backlog(floors);
    }

    /**
     * Counts events at or below the floors of lanes, where none should be. They may have been restored, or somebody
     * chose their positions.
     *
     * @return how many there are, for each lane that has any; at most {@link #MOST_COUNTED} are counted
     */
    public Map<Integer, Long> belowFloors(Map<Integer, Long> floors) {
        return floors.isEmpty() ? Map.of() : sql.belowFloors(floors);
    }

    /** Counts the failures of some lanes by state; at most {@link #MOST_COUNTED} waiting events are counted. */
    public FailureCounts failures(Collection<Integer> lanes) {
        return lanes.isEmpty() ? new FailureCounts(Map.of(), 0) : sql.failures(lanes);
    }

    /**
     * Finds the stuck routes of some lanes, those with the most failures first: types and reasons of failures that are
     * retrying, parked or paused. Only some thousands of failures are read.
     */
    public List<Stuck> stuck(Collection<Integer> lanes, int most) {
        return lanes.isEmpty() ? List.of() : sql.stuck(lanes, most);
    }

    /**
     * Prepares room for retained events, and removes those that were published too long ago. Does a bounded part of it:
     * call it again while there is more.
     *
     * @param keep how long events are retained, at least an hour; days are removed as a whole, so up to a day longer
     */
    public Retention retain(Duration keep) {
        return sql.retain(keep);
    }

    /** Maps what is read of a failure besides its event. */
    static Event.Kept kept(ResultSet row) throws SQLException {
        return new Event.Kept(
                row.getLong("id"),
                row.getInt("attempts"),
                row.getInt("failures"),
                Duration.of(row.getLong("returned_micros"), ChronoUnit.MICROS),
                row.getString("state").equals("parked"));
    }

    static OutboxActs.DueFailure due(ResultSet row, Event event) throws SQLException {
        return new OutboxActs.DueFailure(event, row.getBoolean("may_go"));
    }

    static OwnedLane owned(ResultSet row, String owner) throws SQLException {
        return new OwnedLane(row.getInt("lane"), owner, row.getLong("epoch"));
    }

    static Stuck stuck(ResultSet row, int n) throws SQLException {
        return new Stuck(
                EventReader.shown(row, 1),
                EventReader.shown(row, 2),
                row.getString(3),
                row.getLong(4),
                row.getBoolean(5));
    }

    private static <T> T timed(Timer timer, Supplier<T> work) {
        return Objects.requireNonNull(timer.record(work));
    }

    /**
     * What a call of {@link #retain} did.
     *
     * @param days how many partitions of a day were dropped
     * @param rows how many events were removed that were in no such partition
     * @param busy whether another session held a lock, so that the next call has to continue
     */
    public record Retention(int days, int rows, boolean busy) {

        /** Most rows that one call removes. */
        public static final int MOST_ROWS = 5_000;

        /** {@return whether another call may find more right now} */
        public boolean isPart() {
            return !busy && (days > 0 || rows == MOST_ROWS);
        }
    }

    /**
     * The result of a look at the writers.
     *
     * @param longest the writer that has held the floor back for longest; empty when none does
     * @param another whether this is not the outbox of the last look: after a restore, a failover or a restarted
     *     sequence positions may be used again, and earlier floors are void
     * @param unreliable why positions prove nothing, so that floors do not rise; null when they do
     */
    public record Look(
            Optional<WriterWatch.Writer> longest,
            boolean another,
            @Nullable String unreliable) {}

    /**
     * A stuck route.
     *
     * @param aggregateType type of its aggregates
     * @param eventType type of its events
     * @param reason in one word
     * @param events how many
     * @param partly whether there may be more
     */
    public record Stuck(String aggregateType, String eventType, String reason, long events, boolean partly) {

        @Override
        public String toString() {
            return (partly ? "at least " : "") + events + " of " + aggregateType + "/" + eventType + " " + reason;
        }
    }

    /**
     * The failures of some lanes.
     *
     * @param events how many, by state; states without failures may be missing
     * @param oldestSeconds age of the oldest, counted from {@code occurred_at}; 0 when there are none. Those that wait
     *     are younger than the one that they wait for, and are not read.
     */
    public record FailureCounts(Map<String, Long> events, double oldestSeconds) {

        /** Makes it of what a database has counted: a row for each state. */
        static FailureCounts of(List<StateCount> states) {
            return new FailureCounts(
                    states.stream().collect(Collectors.toMap(StateCount::state, StateCount::events)),
                    states.stream().mapToDouble(StateCount::oldestSeconds).max().orElse(0));
        }
    }

    /**
     * The failures in one state.
     *
     * @param state its name
     * @param events how many
     * @param oldestSeconds age of the oldest, counted from {@code occurred_at}; 0 when it is not known
     */
    record StateCount(String state, long events, double oldestSeconds) {

        /** Reads the columns state, events and oldest_seconds. */
        static StateCount read(ResultSet row, int n) throws SQLException {
            return new StateCount(
                    row.getString("state"), row.getLong("events"), Math.max(0, row.getDouble("oldest_seconds")));
        }
    }

    /**
     * The unconfirmed events.
     *
     * @param events how many; at most {@link #MOST_COUNTED} are counted in a lane
     * @param lagSeconds age of the oldest; 0 when there are none
     */
    public record Backlog(double events, double lagSeconds) {

        /** Both numbers are unknown. */
        public static final Backlog UNKNOWN = new Backlog(Double.NaN, Double.NaN);
    }
}
