package io.outboxrelay.relay.stories;

import io.outboxrelay.testservers.DatabaseKind;
import io.outboxrelay.testservers.TestDatabase;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import javax.sql.DataSource;

/**
 * Services that write events. Each transaction locks its aggregate first, so that writers of one aggregate take turns,
 * and gives its events the aggregate's next versions; the payload is the version. A ledger in the same database gets
 * one row for each event in the same transaction: it has the committed events, whatever happens to the writer.
 *
 * <p>One transaction in ten rolls back, one in two hundred commits two seconds late, one in a hundred has a hundred
 * events. A writer whose database is gone reconnects and continues.
 */
final class Writers implements AutoCloseable {

    /** Makes the writing last as long as the story; real services do not wait. */
    private static final int MOST_AHEAD_OF_THE_OBSERVER = 3_000;

    /** Belongs to no writer; theirs begin at 1. */
    private static final int APART = 0;

    private static final int LARGE_TRANSACTION = 100;
    private static final long SEED = 20_261_122;

    private final DatabaseKind kind;
    private final DataSource database;
    private final String aggregateType;
    private final int aggregates;
    private final Semaphore ahead = new Semaphore(MOST_AHEAD_OF_THE_OBSERVER);
    private final AtomicInteger committed = new AtomicInteger();
    private final CountDownLatch closed = new CountDownLatch(1);
    private List<Thread> threads = List.of();

    private enum End {
        COMMIT,
        COMMIT_LATE,
        ROLL_BACK
    }

    /**
     * Prepares the tables of aggregates and of the ledger.
     *
     * @param home has the outbox already
     * @param aggregateType what the aggregates are
     * @param aggregates how many there are
     */
    Writers(TestDatabase home, String aggregateType, int aggregates) {
        this.kind = home.kind();
        this.database = home.dataSource();
        this.aggregateType = aggregateType;
        this.aggregates = aggregates;
        execute("CREATE TABLE story_aggregate (id int PRIMARY KEY, version int NOT NULL)");
        if (kind.isInnoDb()) {
            execute("CREATE TABLE story_ledger (event_id binary(16) PRIMARY KEY)");
            execute("INSERT INTO story_aggregate WITH RECURSIVE one (id) AS (SELECT " + APART
                    + " UNION ALL SELECT id + 1 FROM one WHERE id < " + aggregates + ") SELECT id, 0 FROM one");
        } else {
            execute("CREATE TABLE story_ledger (event_id uuid PRIMARY KEY)");
            execute("INSERT INTO story_aggregate SELECT id, 0 FROM generate_series(" + APART + ", " + aggregates
                    + ") AS id");
        }
    }

    /**
     * Scales the number of events: fewer on other databases than PostgreSQL, so that all stories end in reasonable
     * time.
     */
    static int load(DatabaseKind kind, int events) {
        return kind == DatabaseKind.POSTGRESQL ? events : events / 2;
    }

    /** Begins to write, and returns at once. */
    void start(int connections, int events) {
        threads = IntStream.range(0, connections)
                .mapToObj(n -> new Thread(() -> write(new Random(SEED + n), events), aggregateType + "-writer-" + n))
                .toList();
        threads.forEach(Thread::start);
    }

    /** Waits until all is written. */
    void join() throws InterruptedException {
        for (Thread thread : threads) {
            thread.join();
        }
    }

    boolean areWriting() {
        return threads.stream().anyMatch(Thread::isAlive);
    }

    /** Writes and returns when everything is committed. Use it when no observer sets the pace. */
    void write(int connections, int events) throws InterruptedException {
        ahead.release(events * 2);
        start(connections, events);
        join();
    }

    /** The observer calls it for the first delivery of each event. */
    void observed() {
        ahead.release();
    }

    /** The committed events, according to the database. */
    Set<UUID> ledger() {
        return ids("story_ledger");
    }

    /** The events that are still in the outbox. */
    Set<UUID> unpublished() {
        return ids("outbox");
    }

    private Set<UUID> ids(String table) {
        String id = kind.isInnoDb()
                ? "insert(insert(insert(insert(lower(hex(event_id)), 9, 0, '-'), 14, 0, '-'), 19, 0, '-'), 24, 0, '-')"
                : "event_id::text";
        try (Connection connection = database.getConnection();
                Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery("SELECT " + id + " FROM " + table)) {
            Set<UUID> ids = new HashSet<>();
            while (rows.next()) {
                ids.add(UUID.fromString(rows.getString(1)));
            }
            return ids;
        } catch (SQLException e) {
            throw new IllegalStateException("The ids in %s could not be read: %s".formatted(table, e.getMessage()), e);
        }
    }

    /** Writes the next event of an aggregate that the writers do not use, in the caller's transaction. */
    void writeApart(Connection open) throws SQLException {
        write(open, APART, 1);
    }

    /** Stops writing, finished or not. */
    @Override
    public void close() {
        closed.countDown();
        threads.forEach(Thread::interrupt);
        try {
            join();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void write(Random random, int events) {
        try {
            while (closed.getCount() > 0 && committed.get() < events) {
                try (Connection connection = database.getConnection()) {
                    connection.setAutoCommit(false);
                    while (closed.getCount() > 0 && committed.get() < events) {
                        transaction(connection, random);
                    }
                } catch (SQLException e) {
                    // The database is down. Only the ledger shows whether the last commit succeeded.
                    closed.await(100, TimeUnit.MILLISECONDS);
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void transaction(Connection connection, Random random) throws SQLException, InterruptedException {
        int aggregate = 1 + random.nextInt(aggregates);
        int events = random.nextInt(100) == 0 ? LARGE_TRANSACTION : 1 + random.nextInt(4);
        End end = end(random);
        ahead.acquire(events);
        write(connection, aggregate, events);
        if (end == End.ROLL_BACK) {
            connection.rollback();
            ahead.release(events);
            return;
        }
        if (end == End.COMMIT_LATE) {
            execute(connection, kind.isInnoDb() ? "SELECT sleep(2)" : "SELECT pg_sleep(2)");
        }
        connection.commit();
        committed.addAndGet(events);
    }

    private static End end(Random random) {
        if (random.nextInt(10) == 0) {
            return End.ROLL_BACK;
        }
        return random.nextInt(200) == 0 ? End.COMMIT_LATE : End.COMMIT;
    }

    private void write(Connection connection, int aggregate, int events) throws SQLException {
        int version = lock(connection, aggregate);
        if (kind.isInnoDb()) {
            insertIntoMariaDb(connection, aggregate, version, events);
        } else {
            insertIntoPostgres(connection, aggregate, version, events);
        }
        try (PreparedStatement update =
                connection.prepareStatement("UPDATE story_aggregate SET version = ? WHERE id = ?")) {
            update.setInt(1, version + events);
            update.setInt(2, aggregate);
            update.executeUpdate();
        }
    }

    private void insertIntoMariaDb(Connection connection, int aggregate, int version, int events) throws SQLException {
        for (int n = 1; n <= events; n++) {
            String id = UUID.randomUUID().toString().replace("-", "");
            try (Statement insert = connection.createStatement()) {
                insert.executeUpdate("""
                        INSERT INTO outbox (event_id, aggregate_type, aggregate_id, event_type, payload, content_type)
                        VALUES (x'%s', '%s', '%d', 'changed', '%d', 'text/plain')
                        """.formatted(id, aggregateType, aggregate, version + n));
                insert.executeUpdate("INSERT INTO story_ledger VALUES (x'" + id + "')");
            }
        }
    }

    private void insertIntoPostgres(Connection connection, int aggregate, int version, int events) throws SQLException {
        try (PreparedStatement insert = connection.prepareStatement("""
                WITH written AS (
                    INSERT INTO outbox (aggregate_type, aggregate_id, event_type, payload, content_type)
                    SELECT ?, ?, 'changed', convert_to(version::text, 'UTF8'), 'text/plain'
                    FROM generate_series(?, ?) AS version ORDER BY version
                    RETURNING event_id)
                INSERT INTO story_ledger SELECT event_id FROM written
                """)) {
            insert.setString(1, aggregateType);
            insert.setString(2, String.valueOf(aggregate));
            insert.setInt(3, version + 1);
            insert.setInt(4, version + events);
            insert.executeUpdate();
        }
    }

    private static int lock(Connection connection, int aggregate) throws SQLException {
        try (PreparedStatement select =
                connection.prepareStatement("SELECT version FROM story_aggregate WHERE id = ? FOR UPDATE")) {
            select.setInt(1, aggregate);
            try (ResultSet row = select.executeQuery()) {
                row.next();
                return row.getInt(1);
            }
        }
    }

    private void execute(String sql) {
        try (Connection connection = database.getConnection()) {
            execute(connection, sql);
        } catch (SQLException e) {
            throw new IllegalStateException("'%s' failed: %s".formatted(sql, e.getMessage()), e);
        }
    }

    private static void execute(Connection connection, String sql) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }
}
