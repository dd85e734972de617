package io.outboxrelay.client;

import static java.util.stream.Collectors.toSet;

import java.lang.reflect.InvocationHandler;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.UUID;
import java.util.function.Consumer;
import java.util.function.Predicate;
import java.util.stream.Stream;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;
import org.springframework.jdbc.datasource.AbstractDataSource;
import org.springframework.jdbc.datasource.DataSourceUtils;

/**
 * The inbox's tables of one consumer, and the effects of its handler, in transactions of the level READ COMMITTED: what
 * others have not committed is invisible and locked. Whoever would have to wait for such a lock meets a timeout, except
 * that a statement may be frozen in its middle, and so wait for what others do meanwhile.
 */
final class SimulatedDatabase implements Database {

    private final SimulatedWorld world;
    /** As on PostgreSQL, where the statement that notes has a snapshot that is older than what it has waited for. */
    private final boolean oneSnapshot;

    private final Consumer<ReceivedEvent> onEffect;
    private final Set<UUID> inbox = new HashSet<>();
    private final TreeMap<Long, Stored> stored = new TreeMap<>();
    private final Map<String, Long> instances = new LinkedHashMap<>();
    private final List<Session> sessions = new ArrayList<>();
    private final Set<UUID> cannotBeStored = new HashSet<>();
    private long lastId;
    private long awayUntil;

    /** @param onEffect called when the effect of an event has committed */
    SimulatedDatabase(SimulatedWorld world, Consumer<ReceivedEvent> onEffect) {
        this.world = world;
        this.oneSnapshot = world.draw(2) == 0;
        this.onEffect = onEffect;
        this.awayUntil = world.now();
    }

    enum State {
        RETRYING,
        PARKED,
        WAITING
    }

    /** A row of the table inbox_failure. */
    record Stored(long id, ReceivedEvent event, State state, int attempts, long dueAt) {

        Aggregate aggregate() {
            return Aggregate.of(event);
        }

        Stored with(State newState, int newAttempts, long newDueAt) {
            return new Stored(id, event, newState, newAttempts, newDueAt);
        }
    }

    DataSource dataSource() {
        return new AbstractDataSource() {
            @Override
            public Connection getConnection() throws SQLException {
                world.meanwhile();
                if (isAway()) {
                    throw lost();
                }
                Session session = new Session(world.caller());
                sessions.add(session);
                return (Connection) Proxy.newProxyInstance(
                        SimulatedDatabase.class.getClassLoader(), new Class<?>[] {Connection.class}, session);
            }

            @Override
            public Connection getConnection(String user, String password) {
                throw new UnsupportedOperationException();
            }
        };
    }

    /** Makes the effect of an event in the transaction of the calling thread. */
    void effect(DataSource dataSource, ReceivedEvent event) throws SQLException {
        Connection connection = DataSourceUtils.getConnection(dataSource);
        try {
            statement(connection).effects.add(event);
        } finally {
            DataSourceUtils.releaseConnection(connection, dataSource);
        }
    }

    /** Ends the session of the calling thread's transaction. */
    void loseSession(DataSource dataSource) throws SQLException {
        Connection connection = DataSourceUtils.getConnection(dataSource);
        try {
            connection.unwrap(Session.class).lose();
        } finally {
            DataSourceUtils.releaseConnection(connection, dataSource);
        }
    }

    /** This event is refused by the table for failures. */
    void refuseToStore(UUID eventId) {
        cannotBeStored.add(eventId);
    }

    boolean canBeStored(UUID eventId) {
        return !cannotBeStored.contains(eventId);
    }

    boolean isNoted(UUID eventId) {
        return inbox.contains(eventId);
    }

    Collection<Stored> stored() {
        return stored.values();
    }

    boolean isAway() {
        return world.now() - awayUntil < 0;
    }

    /** It restarts, and is away for a while. */
    void goAway(Duration time) {
        awayUntil = world.now() + time.toNanos();
        List.copyOf(sessions).forEach(Session::lose);
    }

    /** It answers again, and nobody holds a lock that has no process any more. */
    void recover() {
        awayUntil = world.now();
    }

    /** The server notices, sooner or later, what has ended, and ends a session now and then. */
    void goesOn() {
        for (int i = sessions.size() - 1; i >= 0; i--) {
            Session session = sessions.get(i);
            if (!world.isAlive(session.owner) && !world.chance(session.lingers)) {
                session.lose();
            }
        }
        if (!sessions.isEmpty() && world.chance(world.trouble() / 10)) {
            world.noted("session ended by the database");
            sessions.get(world.draw(sessions.size())).lose();
        }
    }

    /** A person makes a parked event due again, with fresh attempts; false if a process is at it. */
    boolean retry(Stored row) {
        return isFree(row) && stored.replace(row.id(), row.with(State.RETRYING, 0, world.now())) != null;
    }

    /** A person removes an event for good; false if a process is at it. */
    boolean discard(Stored row) {
        return isFree(row) && stored.remove(row.id()) != null;
    }

    private boolean isFree(Stored row) {
        return sessions.stream().noneMatch(session -> session.locks.contains(row.id()));
    }

    private static SQLException lost() {
        return new SQLException("the connection is lost", "08006");
    }

    /** A connection, which has a transaction. */
    private final class Session implements InvocationHandler {

        private final Object owner;
        /** How probable it is that the server does not notice yet that the owner has ended. */
        private final double lingers = world.draw(2) == 0 ? 0 : 0.995;

        private final Set<UUID> notes = new HashSet<>();
        private final Map<Long, Optional<Stored>> writes = new TreeMap<>();
        private final Set<Long> locks = new HashSet<>();
        private final List<ReceivedEvent> effects = new ArrayList<>();
        private boolean autoCommit = true;
        private boolean lost;

        Session(Object owner) {
            this.owner = owner;
        }

        @Override
        public @Nullable Object invoke(Object proxy, Method method, Object[] arguments) throws SQLException {
            switch (method.getName()) {
                case "unwrap" -> {
                    return this;
                }
                case "getAutoCommit" -> {
                    return autoCommit;
                }
                case "setAutoCommit" -> autoCommit = (boolean) arguments[0];
                case "commit" -> commit();
                case "rollback" -> {
                    if (world.isAlive(owner)) {
                        forget();
                    }
                }
                case "close" -> {
                    if (world.isAlive(owner)) {
                        lose();
                    }
                }
                case "isValid" -> {
                    return !lost && !isAway();
                }
                case "isReadOnly", "isClosed" -> {
                    return false;
                }
                case "getTransactionIsolation" -> {
                    return Connection.TRANSACTION_READ_COMMITTED;
                }
                case "equals" -> {
                    return proxy == arguments[0];
                }
                case "hashCode" -> {
                    return System.identityHashCode(proxy);
                }
                default -> throw new UnsupportedOperationException(method.getName());
            }
            return null;
        }

        void require() throws SQLException {
            if (lost || isAway()) {
                lose();
                throw lost();
            }
        }

        private void commit() throws SQLException {
            world.meanwhile();
            require();
            world.traced("committed: notes " + notes + ", rows " + writes.values() + ", effects of " + effects.size());
            inbox.addAll(notes);
            writes.forEach((id, row) -> row.ifPresentOrElse(value -> stored.put(id, value), () -> stored.remove(id)));
            List<ReceivedEvent> committed = List.copyOf(effects);
            forget();
            committed.forEach(onEffect);
            if (world.chance(world.trouble() / 3)) {
                world.noted("answer to a commit lost");
                lose();
                throw lost();
            }
            world.meanwhile();
        }

        private void forget() {
            notes.clear();
            writes.clear();
            locks.clear();
            effects.clear();
        }

        void lose() {
            lost = true;
            forget();
            sessions.remove(this);
        }

        Optional<Stored> row(long id) {
            Optional<Stored> written = writes.get(id);
            return written == null ? Optional.ofNullable(stored.get(id)) : written;
        }

        List<Stored> rows() {
            TreeMap<Long, Stored> rows = new TreeMap<>(stored);
            writes.forEach((id, row) -> row.ifPresentOrElse(value -> rows.put(id, value), () -> rows.remove(id)));
            return List.copyOf(rows.values());
        }

        Set<Aggregate> aggregates() {
            return rows().stream().map(Stored::aggregate).collect(toSet());
        }

        boolean isLockedByOther(long id) {
            return sessions.stream().anyMatch(other -> other != this && other.locks.contains(id));
        }

        void write(Stored row) throws SQLException {
            write(row.id(), Optional.of(row));
        }

        void write(long id, Optional<Stored> row) throws SQLException {
            if (isLockedByOther(id)) {
                throw contention();
            }
            locks.add(id);
            writes.put(id, row);
        }

        /** Whether it was not noted before. */
        boolean note(UUID eventId) throws SQLException {
            if (inbox.contains(eventId) || notes.contains(eventId)) {
                return false;
            }
            if (sessions.stream().anyMatch(other -> other.notes.contains(eventId))) {
                throw contention();
            }
            return notes.add(eventId);
        }
    }

    private SQLException contention() {
        world.noted("met another transaction");
        return new SQLException("another transaction holds the lock", "55P03");
    }

    private Session statement(Connection connection) throws SQLException {
        Session session = connection.unwrap(Session.class);
        world.meanwhile();
        session.require();
        return session;
    }

    private void middle(Session session) throws SQLException {
        world.freeze();
        world.meanwhile();
        session.require();
    }

    @Override
    public boolean note(Connection connection, String consumer, UUID eventId) throws SQLException {
        return statement(connection).note(eventId);
    }

    @Override
    public Noted note(Connection connection, String consumer, List<ReceivedEvent> events) throws SQLException {
        Session session = statement(connection);
        Set<Aggregate> before = session.aggregates();
        middle(session);
        Set<UUID> fresh = new TreeSet<>();
        for (UUID id : new TreeSet<>(events.stream().map(ReceivedEvent::id).toList())) {
            if (session.note(id)) {
                fresh.add(id);
            }
        }
        if (oneSnapshot && (fresh.isEmpty() || fresh.size() == events.size())) {
            return new Noted(fresh, waiting(events, fresh, before));
        }
        middle(session);
        return new Noted(fresh, waiting(events, fresh, session.aggregates()));
    }

    private static Set<UUID> waiting(List<ReceivedEvent> events, Set<UUID> fresh, Set<Aggregate> aggregates) {
        return events.stream()
                .filter(event -> fresh.contains(event.id()))
                .filter(event -> !Aggregate.of(event).isNone() && aggregates.contains(Aggregate.of(event)))
                .map(ReceivedEvent::id)
                .collect(toSet());
    }

    @Override
    public void store(Connection connection, String consumer, List<Failed> events) throws SQLException {
        Session session = statement(connection);
        for (Failed failed : events) {
            ReceivedEvent event = failed.event();
            if (cannotBeStored.contains(event.id())) {
                world.noted("refused to store");
                throw new SQLException("too large", "22001");
            }
            if (session.rows().stream().noneMatch(row -> row.event().id().equals(event.id()))) {
                State state = failed.parked() == null ? State.WAITING : State.PARKED;
                world.noted(failed.parked() == null ? "waiting" : "parked");
                long id = ++lastId;
                session.write(new Stored(id, event, state, failed.attempts(), 0));
            }
        }
    }

    @Override
    public List<Long> due(Connection connection, String consumer, int most) throws SQLException {
        return statement(connection).rows().stream()
                .filter(this::isDue)
                .sorted(Comparator.comparingLong(Stored::dueAt))
                .limit(most)
                .map(Stored::id)
                .toList();
    }

    private boolean isDue(Stored row) {
        return row.state() == State.RETRYING && row.dueAt() - world.now() <= 0;
    }

    @Override
    public List<Place> lock(Connection connection, List<Long> ids, boolean due) throws SQLException {
        Session session = statement(connection);
        List<Stored> locked = rows(session, ids).stream()
                .filter(row -> !due || isDue(row))
                .filter(row -> !session.isLockedByOther(row.id()))
                .toList();
        locked.forEach(row -> session.locks.add(row.id()));
        return places(locked.stream());
    }

    @Override
    public List<Place> first(Connection connection, String consumer, Collection<Aggregate> aggregates, int most)
            throws SQLException {
        return places(statement(connection).rows().stream()
                .filter(row -> aggregates.contains(row.aggregate()))
                .sorted(Comparator.comparing(row -> row.aggregate().id()))
                .limit(most));
    }

    private static List<Place> places(Stream<Stored> rows) {
        return rows.map(row -> new Place(
                        row.id(),
                        row.aggregate(),
                        row.state().name().toLowerCase(Locale.ROOT),
                        row.attempts(),
                        row.event().payload().length))
                .toList();
    }

    private static List<Stored> rows(Session session, List<Long> ids) {
        return ids.stream().flatMap(id -> session.row(id).stream()).toList();
    }

    @Override
    public List<StoredEvent> read(Connection connection, List<Long> ids) throws SQLException {
        return rows(statement(connection), ids).stream()
                .map(row -> new StoredEvent(row.id(), row.event(), row.attempts()))
                .toList();
    }

    @Override
    public List<Long> existing(Connection connection, List<Long> ids) throws SQLException {
        return rows(statement(connection), ids).stream().map(Stored::id).toList();
    }

    @Override
    public void count(Connection connection, List<Long> ids, Duration wait, String reason, String detail)
            throws SQLException {
        Session session = statement(connection);
        for (Stored row : rows(session, ids)) {
            session.write(row.with(
                    row.state(),
                    row.attempts() + 1,
                    row.state() == State.RETRYING ? world.now() + wait.toNanos() : row.dueAt()));
        }
    }

    @Override
    public void remove(Connection connection, String consumer, List<StoredEvent> events) throws SQLException {
        Session session = statement(connection);
        for (StoredEvent each : events) {
            session.write(each.id(), Optional.empty());
        }
    }

    @Override
    public boolean failedAgain(
            Connection connection, long id, int attempts, @Nullable Duration wait, String reason, String detail)
            throws SQLException {
        Session session = statement(connection);
        Optional<Stored> row = session.row(id).filter(each -> each.state() != State.PARKED);
        if (row.isPresent()) {
            world.noted(wait == null ? "parked again" : "to be tried again");
            session.write(
                    wait == null
                            ? row.get().with(State.PARKED, attempts, 0)
                            : row.get().with(State.RETRYING, attempts, world.now() + wait.toNanos()));
        }
        return row.isPresent();
    }

    @Override
    public void giveBack(Connection connection, List<Long> ids) throws SQLException {
        Session session = statement(connection);
        for (Stored row : rows(session, ids)) {
            if (row.attempts() > 0 && row.state() != State.PARKED) {
                world.noted("attempt given back");
                session.write(row.with(
                        row.state(), row.attempts() - 1, row.state() == State.RETRYING ? world.now() : row.dueAt()));
            }
        }
    }

    @Override
    public List<Long> waitingHeads(Connection connection, String consumer) throws SQLException {
        return waitingHeads(statement(connection).rows(), row -> true);
    }

    @Override
    public List<Long> waitingHeads(Connection connection, String consumer, Collection<Aggregate> aggregates)
            throws SQLException {
        return waitingHeads(statement(connection).rows(), row -> aggregates.contains(row.aggregate()));
    }

    private static List<Long> waitingHeads(List<Stored> rows, Predicate<Stored> which) {
        Map<Aggregate, Stored> heads = new HashMap<>();
        rows.stream().filter(which).forEach(row -> heads.putIfAbsent(row.aggregate(), row));
        return heads.values().stream()
                .filter(row -> row.state() == State.WAITING)
                .map(Stored::id)
                .sorted()
                .toList();
    }

    @Override
    public void makeDue(Connection connection, List<Long> ids) throws SQLException {
        Session session = statement(connection);
        for (long id : ids) {
            Optional<Stored> row = session.row(id).filter(each -> each.state() == State.WAITING);
            if (row.isPresent()) {
                world.noted("moved up");
                session.write(row.get().with(State.RETRYING, row.get().attempts(), world.now()));
            }
        }
    }

    @Override
    public List<String> alive(Connection connection, String consumer, String instance, Duration lease)
            throws SQLException {
        statement(connection);
        instances.put(instance, world.now() + lease.toNanos());
        instances.values().removeIf(until -> until - world.now() < 0);
        return List.copyOf(instances.keySet());
    }

    @Override
    public void left(Connection connection, String consumer, String instance) throws SQLException {
        statement(connection);
        instances.remove(instance);
    }

    @Override
    public List<String> histories(Connection connection, String consumer) {
        throw new UnsupportedOperationException();
    }

    @Override
    public boolean historyEnded(Connection connection, String consumer, String queue, UUID subscription) {
        throw new UnsupportedOperationException();
    }

    @Override
    public void add(Connection connection, List<Row> events) {
        throw new UnsupportedOperationException();
    }

    @Override
    public StoredCounts stored(Connection connection, String consumer, int most) {
        throw new UnsupportedOperationException();
    }

    @Override
    public int processed(Connection connection, String consumer, Set<UUID> eventIds) {
        throw new UnsupportedOperationException();
    }

    @Override
    public int forget(Connection connection, double olderThanSeconds, int most) {
        throw new UnsupportedOperationException();
    }

    @Override
    public int isolationOfForgetting() {
        throw new UnsupportedOperationException();
    }

    @Override
    public boolean has(Connection connection, String table) {
        throw new UnsupportedOperationException();
    }

    @Override
    public Backlog backlog(Connection connection, int most) {
        throw new UnsupportedOperationException();
    }
}
