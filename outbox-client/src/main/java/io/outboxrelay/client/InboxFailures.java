package io.outboxrelay.client;

import io.outboxrelay.client.Database.Failed;
import io.outboxrelay.client.Database.Noted;
import io.outboxrelay.client.Database.Parked;
import io.outboxrelay.client.Database.StoredEvent;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.UUID;
import java.util.function.Consumer;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;
import org.springframework.transaction.PlatformTransactionManager;
import org.springframework.transaction.TransactionDefinition;
import org.springframework.transaction.support.TransactionTemplate;

/**
 * The events that one consumer has given up, and those that wait behind them, in the table {@code inbox_failure}; and
 * what else it remembers apart from effects: its instances and its histories. Safe for many threads.
 *
 * <p>What is stored is noted in the inbox too: the consumer has taken charge of it, and a redelivery is a duplicate.
 * Within an aggregate the first row, by id, is retrying or parked, and all others are waiting. An event that is stored
 * while the first one leaves may stay waiting as the first; so whoever has stored or removed one looks afterwards
 * whether the first is waiting, in a transaction that begins after the other has committed ({@link #moveUp}).
 */
final class InboxFailures {

    /** From counting an attempt to locking its event; then the lock keeps others away. */
    private static final Duration LONGEST_START = Duration.ofSeconds(5);

    /** What is known of an event that is still stored when its attempt should be over. */
    private static final String ENDED = "The process ended during the last attempt, or it is still at it";

    /** Fits into the column in any encoding. */
    private static final int LONGEST_DETAIL = 1_000;

    private final DataSource dataSource;
    private final TransactionTemplate own;
    private final DatabaseOfSource database;
    private final String consumer;

    InboxFailures(
            DataSource dataSource,
            PlatformTransactionManager transactions,
            DatabaseOfSource database,
            String consumer) {
        this.dataSource = dataSource;
        this.own = new TransactionTemplate(transactions);
        this.own.setPropagationBehavior(TransactionDefinition.PROPAGATION_REQUIRES_NEW);
        this.database = database;
        this.consumer = consumer;
    }

    /**
     * Stores an event that is given up, unless the inbox knows it: then another process has handled or stored it. One
     * that met only contention, say, may have an earlier one before it: then it waits as if it had not failed.
     *
     * @param rejected whether the handler said that no retry can help
     * @return whether it waits behind an earlier one
     */
    boolean park(ReceivedEvent event, String queue, int attempts, boolean rejected, Throwable cause) {
        Failed parked = new Failed(event, queue, attempts, new Parked(reason(rejected), detail(cause)));
        return run((sql, connection) -> {
            Noted noted = sql.note(connection, consumer, List.of(event));
            boolean waits = !noted.waiting().isEmpty();
            if (!noted.fresh().isEmpty()) {
                sql.store(connection, consumer, List.of(waits ? new Failed(event, queue, 0, null) : parked));
            }
            return waits;
        });
    }

    /**
     * Stores an event as one that waits for those before it, whether there is one or not.
     *
     * @return false if the inbox knows it
     */
    boolean wait(ReceivedEvent event, String queue) {
        return run((sql, connection) -> {
            boolean fresh = sql.note(connection, consumer, event.id());
            if (fresh) {
                sql.store(connection, consumer, List.of(new Failed(event, queue, 0, null)));
            }
            return fresh;
        });
    }

    private static String reason(boolean rejected) {
        return rejected ? "rejected" : "failed";
    }

    private static String detail(Throwable cause) {
        return ForeignText.printable(Causes.inWords(cause), LONGEST_DETAIL);
    }

    /** The stored events to be handled now, at most so many. */
    List<Long> due(int most) {
        return run((sql, connection) -> sql.due(connection, consumer, most));
    }

    /**
     * Counts an attempt at one of them before it is made: an event that ends the process each time would otherwise be
     * tried for ever. If its attempts were used up like that, it is parked instead.
     *
     * @return the event, with the attempts before this one; empty if it is not due any more or another process is at it
     */
    Optional<StoredEvent> begin(long id, int mostAttempts) {
        return run((sql, connection) -> {
            Optional<StoredEvent> stored = sql.lock(connection, id, true);
            if (stored.isPresent()) {
                int attempts = stored.get().attempts();
                boolean usedUp = attempts >= mostAttempts;
                sql.failedAgain(
                        connection,
                        id,
                        usedUp ? attempts : attempts + 1,
                        usedUp ? null : LONGEST_START,
                        reason(false),
                        ENDED);
            }
            return stored;
        });
    }

    /**
     * Handles one of them that was begun, unless another process has.
     *
     * @param action in the transaction that removes the event
     * @return the event, if it was handled
     */
    Optional<StoredEvent> process(long id, Consumer<StoredEvent> action) {
        Optional<StoredEvent> processed = own.execute(status -> {
            CallersTransaction transaction = CallersTransaction.of(status, dataSource);
            Optional<StoredEvent> stored = on(transaction, (sql, connection) -> sql.lock(connection, id, false));
            stored.ifPresent(event -> {
                action.accept(event);
                on(transaction, (sql, connection) -> {
                    sql.remove(connection, id);
                    // It may have been stored for longer than the inbox remembers.
                    sql.note(connection, consumer, event.event().id());
                    return true;
                });
            });
            return stored;
        });
        return processed == null ? Optional.empty() : processed;
    }

    /** A stored event has failed again; without a wait it is parked. */
    void failed(StoredEvent stored, int attempts, @Nullable Duration wait, boolean rejected, Throwable cause) {
        run((sql, connection) -> {
            sql.failedAgain(connection, stored.id(), attempts, wait, reason(rejected), detail(cause));
            return true;
        });
    }

    /** Makes the first event of each of these aggregates due if it is waiting. */
    void moveUp(Collection<Aggregate> aggregates) {
        run((sql, connection) -> {
            sql.makeDue(connection, sql.waitingHeads(connection, consumer, aggregates));
            return true;
        });
    }

    /** The same for all aggregates: for those whose process ended in between, or whose first event a person removed. */
    void moveUp() {
        run((sql, connection) -> {
            sql.makeDue(connection, sql.waitingHeads(connection, consumer));
            return true;
        });
    }

    /** How many events are stored. */
    StoredCounts stored() {
        return run((sql, connection) -> sql.stored(connection, consumer, StoredCounts.MOST_COUNTED));
    }

    /** Says that an instance is alive, and returns all that are. */
    List<String> alive(String instance, Duration lease) {
        return run((sql, connection) -> sql.alive(connection, consumer, instance, lease));
    }

    /** Says that an instance has ended. */
    void left(String instance) {
        run((sql, connection) -> {
            sql.left(connection, consumer, instance);
            return true;
        });
    }

    /** The queues whose history is complete. */
    List<String> histories() {
        return run((sql, connection) -> sql.histories(connection, consumer));
    }

    /** Remembers that the history of a queue is complete. */
    void historyEnded(String queue, UUID subscription) {
        run((sql, connection) -> {
            sql.historyEnded(connection, consumer, queue, subscription);
            return true;
        });
    }

    private <T> T run(Work<T> work) {
        return Objects.requireNonNull(
                own.execute(status -> on(CallersTransaction.of(status, dataSource), work)), "result of a transaction");
    }

    private <T> T on(CallersTransaction transaction, Work<T> work) {
        return Objects.requireNonNull(
                transaction.execute(connection -> database.run(connection, sql -> work.run(sql, connection))),
                "result of a statement");
    }

    /** Statements of one transaction. */
    @FunctionalInterface
    private interface Work<T> {

        T run(Database sql, Connection connection) throws SQLException;
    }
}
