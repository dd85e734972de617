package io.outboxrelay.client;

import io.outboxrelay.client.Database.Failed;
import io.outboxrelay.client.Database.Noted;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.function.Consumer;
import javax.sql.DataSource;
import org.springframework.jdbc.core.ConnectionCallback;
import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.transaction.PlatformTransactionManager;
import org.springframework.transaction.TransactionDefinition;
import org.springframework.transaction.TransactionStatus;
import org.springframework.transaction.support.TransactionTemplate;

/**
 * Remembers which events a consumer has processed, in the transaction of the consumer's own changes. Safe for use by
 * many threads. The database user needs no more rights here than the role {@code outbox_consumer} has.
 */
public final class Inbox {

    /** Nothing younger is purged unless told otherwise: events may be delivered again or replayed for that long. */
    public static final Duration DEFAULT_PURGE_FLOOR = Duration.ofDays(7);

    /** A purge holds locks and makes dead rows in portions of this size. */
    static final int PURGE_BATCH = 1_000;

    /** One call ends after this many portions, a million events; the next call goes on. */
    static final int PURGE_BATCHES = 1_000;

    private static final List<String> TABLES = List.of("inbox", "inbox_failure", "inbox_instance", "inbox_history");

    private static final int CONNECTION_ANSWERS_SECONDS = 5;

    private final DataSource dataSource;
    private final PlatformTransactionManager transactions;
    private final Duration purgeFloor;
    private final JdbcTemplate jdbc;
    private final DatabaseOfSource database;

    /**
     * The inbox in the schema {@code public}, on MariaDB and MySQL in the database that the connections are in.
     *
     * @param dataSource the one that the transaction manager works on
     * @param transactions begins and ends the transactions; watched from now on
     */
    public Inbox(DataSource dataSource, PlatformTransactionManager transactions) {
        this(dataSource, transactions, "public");
    }

    /**
     * The inbox in the given schema.
     *
     * @param dataSource the one that the transaction manager works on
     * @param transactions begins and ends the transactions; watched from now on
     * @param schema where the tables are installed
     * @throws IllegalArgumentException if the schema is not a lower-case SQL identifier
     */
    public Inbox(DataSource dataSource, PlatformTransactionManager transactions, String schema) {
        this(dataSource, transactions, new DatabaseOfSource(TABLES, schema));
    }

    /** The inbox in a database that is known already. */
    Inbox(DataSource dataSource, PlatformTransactionManager transactions, DatabaseOfSource database) {
        this(dataSource, transactions, database, DEFAULT_PURGE_FLOOR);
    }

    private Inbox(
            DataSource dataSource,
            PlatformTransactionManager transactions,
            DatabaseOfSource database,
            Duration purgeFloor) {
        this.dataSource = dataSource;
        this.transactions = transactions;
        this.database = database;
        this.purgeFloor = purgeFloor;
        this.jdbc = new JdbcTemplate(dataSource);
        TransactionWatch.over(transactions);
    }

    /**
     * The same inbox with another floor for {@link #purge}. It must be longer than an event may be on its way, waiting
     * in queues, dead letters and replays included.
     *
     * @param floor positive
     * @return the changed inbox
     * @throws IllegalArgumentException if it is not positive
     */
    public Inbox withPurgeFloor(Duration floor) {
        if (floor.isNegative() || floor.isZero()) {
            throw new IllegalArgumentException("The floor of an inbox's purge must be positive, not " + floor);
        }
        return new Inbox(dataSource, transactions, database, floor);
    }

    /**
     * Runs the action unless this consumer has processed the event before, and notes that it has: both in one
     * transaction, the caller's if there is one, otherwise one of its own. If the same event is being processed
     * elsewhere at this moment, waits for its outcome. (In a transaction of isolation REPEATABLE READ or above such a
     * meeting is a serialization failure on PostgreSQL, as always there; processing it again then skips it.)
     *
     * @param consumer whose effect it is; consumers of different names each process the event
     * @param eventId the event's id
     * @param action the effect, in the same transaction
     * @return false if the event was processed before: the action was not run, and the transaction goes on
     * @throws IllegalStateException if the transaction is not one on this data source that can still commit what is
     *     written; says why, and the action was not run
     * @throws MissingTableException if there is no inbox; says how to install it
     * @throws org.springframework.dao.DataAccessException if the database refuses or is away
     */
    public boolean once(String consumer, UUID eventId, Runnable action) {
        Boolean processed = new TransactionTemplate(transactions).execute(status -> {
            if (!note(status, consumer, eventId)) {
                return false;
            }
            action.run();
            return true;
        });
        return Boolean.TRUE.equals(processed);
    }

    /**
     * Waits until a consumer has committed the effect of an event, so that one can read one's own write: publish, let
     * the transaction end, wait, and then read what the consumer has changed. It asks this inbox, so it has to be in
     * the database of that consumer; the id is the one that {@link Outbox#publish} has returned.
     *
     * <p>The inbox is asked by primary key, first after 5 ms and then in growing intervals, at the longest 100 ms.
     * Between two questions no connection is held. An event that somebody has discarded counts as processed; one that
     * the inbox has forgotten since does not.
     *
     * @param consumer whose effect it is
     * @param eventId the event's id
     * @param timeout how long to wait at most; zero or less to ask once. The time in which the pool gives no connection
     *     or the database no answer comes on top
     * @return false if the time is over and the effect is missing: the event may still come
     * @throws IllegalStateException if the calling thread is in a transaction: it would hold a connection, may not see
     *     what others commit, and its own events are published only after it
     * @throws MissingTableException if there is no inbox; says how to install it
     * @throws org.springframework.dao.DataAccessException if the database refuses or is away
     * @throws InterruptedException if the thread is interrupted
     */
    public boolean await(String consumer, UUID eventId, Duration timeout) throws InterruptedException {
        return await(consumer, List.of(eventId), timeout);
    }

    /**
     * Waits until a consumer has committed the effects of several events. Does what {@link #await(String, UUID,
     * Duration)} does, and asks for all of them in one statement.
     *
     * @param consumer whose effects they are
     * @param eventIds the events' ids, at most 1,000 different ones; for none the answer is true
     * @param timeout how long to wait at most for all of them together
     * @return false if the time is over and at least one effect is missing
     * @throws IllegalArgumentException if there are too many ids
     * @throws IllegalStateException if the calling thread is in a transaction
     * @throws MissingTableException if there is no inbox; says how to install it
     * @throws org.springframework.dao.DataAccessException if the database refuses or is away
     * @throws InterruptedException if the thread is interrupted
     */
    public boolean await(String consumer, Collection<UUID> eventIds, Duration timeout) throws InterruptedException {
        return eventIds.isEmpty() || new InboxWait(jdbc, database, consumer, Set.copyOf(eventIds)).run(timeout);
    }

    /**
     * Forgets events that were processed long ago, in batches, each in a transaction of its own. Time is the
     * database's. One call forgets a million events at most.
     *
     * @param olderThan at least the floor
     * @return the number of events forgotten
     * @throws IllegalArgumentException if the age is below the floor
     * @throws org.springframework.dao.DataAccessException if the database refuses or is away
     */
    public int purge(Duration olderThan) {
        return purge(olderThan, PURGE_BATCH);
    }

    int purge(Duration olderThan, int batchSize) {
        if (olderThan.compareTo(purgeFloor) < 0) {
            throw new IllegalArgumentException("The inbox cannot be purged of events older than " + olderThan
                    + ": they may still be delivered again. The floor is " + purgeFloor);
        }
        int purged = 0;
        for (int batch = 0; batch < PURGE_BATCHES; batch++) {
            int deleted = purgeBatch(olderThan, batchSize);
            purged += deleted;
            if (deleted < batchSize) {
                break;
            }
        }
        return purged;
    }

    /**
     * Checks that its tables are there, by the driver's metadata, on a connection of its own or of the caller's
     * transaction. Call it at start, so that nobody finds out at the first event.
     *
     * @throws MissingTableException if one is missing; says how to install it
     * @throws org.springframework.dao.DataAccessException if the database is away
     */
    public void requireTable() {
        jdbc.execute((ConnectionCallback<Boolean>) connection -> {
            database.requireTables(connection);
            return true;
        });
    }

    /**
     * Notes events and runs the action on those that are new and need not wait, in one transaction, the caller's if
     * there is one. Those that have to wait behind a stored one are stored.
     *
     * @return what has become of each event, in their order
     */
    List<Fate> process(String consumer, List<Taken> taken, Consumer<List<ReceivedEvent>> action) {
        List<Fate> fates = new TransactionTemplate(transactions).execute(status -> {
            List<Fate> each = note(status, consumer, taken);
            List<ReceivedEvent> fresh = new ArrayList<>();
            for (int i = 0; i < taken.size(); i++) {
                if (each.get(i) == Fate.HANDLED) {
                    fresh.add(taken.get(i).event());
                }
            }
            if (!fresh.isEmpty()) {
                action.accept(fresh);
            }
            return each;
        });
        return fates == null ? List.of() : fates;
    }

    private List<Fate> note(TransactionStatus transaction, String consumer, List<Taken> taken) {
        List<ReceivedEvent> events = taken.stream().map(Taken::event).toList();
        List<Fate> fates = CallersTransaction.of(transaction, dataSource)
                .execute(connection -> database.run(connection, sql -> {
                    Noted noted = sql.note(connection, consumer, events);
                    List<Fate> each = fates(noted, events);
                    List<Failed> waiting = new ArrayList<>();
                    for (int i = 0; i < taken.size(); i++) {
                        if (each.get(i) == Fate.WAITING) {
                            waiting.add(new Failed(
                                    events.get(i), taken.get(i).origin().queue(), 0, null));
                        }
                    }
                    if (!waiting.isEmpty()) {
                        InboxFailures.store(sql, connection, consumer, waiting);
                    }
                    return each;
                }));
        return fates == null ? List.of() : fates;
    }

    /** An event may be among them twice: then only the first of the two is new. */
    private static List<Fate> fates(Noted noted, List<ReceivedEvent> events) {
        Set<UUID> fresh = new HashSet<>(noted.fresh());
        List<Fate> fates = new ArrayList<>();
        for (ReceivedEvent event : events) {
            if (!fresh.remove(event.id())) {
                fates.add(Fate.DUPLICATE);
            } else {
                fates.add(noted.waiting().contains(event.id()) ? Fate.WAITING : Fate.HANDLED);
            }
        }
        return fates;
    }

    /** What the consumer has given up. */
    InboxFailures failures(String consumer) {
        return new InboxFailures(dataSource, transactions, database, consumer);
    }

    /**
     * Does everything that {@link #process} may ask of the database, and undoes it: fails if {@link #process} would
     * with every event.
     */
    void probe(String consumer) {
        ReceivedEvent event =
                new ReceivedEvent(UUID.randomUUID(), "probe", "probe", "", new byte[0], null, Map.of(), null, false);
        new TransactionTemplate(transactions)
                .executeWithoutResult(status -> CallersTransaction.of(status, dataSource)
                        .execute(connection -> database.run(connection, sql -> {
                            sql.note(connection, consumer, List.of(event));
                            sql.store(connection, consumer, List.of(new Failed(event, "", 0, null)));
                            status.setRollbackOnly();
                            return true;
                        })));
    }

    /** Whether the connection of the current transaction still answers; asked by an action inside of {@link #once}. */
    boolean connectionAnswers() {
        try {
            return Boolean.TRUE.equals(CallersTransaction.on(dataSource)
                    .execute(connection -> connection.isValid(CONNECTION_ANSWERS_SECONDS)));
        } catch (IllegalStateException e) {
            // The transaction is not what it was, by the action's own doing.
            return true;
        } catch (RuntimeException e) {
            return false;
        }
    }

    private boolean note(TransactionStatus transaction, String consumer, UUID eventId) {
        return Boolean.TRUE.equals(CallersTransaction.of(transaction, dataSource)
                .execute(connection -> database.run(connection, sql -> sql.note(connection, consumer, eventId))));
    }

    private int purgeBatch(Duration olderThan, int batchSize) {
        TransactionTemplate transaction = new TransactionTemplate(transactions);
        transaction.setPropagationBehavior(TransactionDefinition.PROPAGATION_REQUIRES_NEW);
        transaction.setIsolationLevel(isolationOfPurging());
        Integer deleted = transaction.execute(status -> CallersTransaction.of(status, dataSource)
                .execute(connection -> database.run(
                        connection, sql -> sql.forget(connection, olderThan.toMillis() / 1000.0, batchSize))));
        return deleted == null ? 0 : deleted;
    }

    private int isolationOfPurging() {
        Integer isolation = jdbc.execute((ConnectionCallback<Integer>)
                connection -> database.of(connection).isolationOfForgetting());
        return isolation == null ? TransactionDefinition.ISOLATION_DEFAULT : isolation;
    }
}
