package io.outboxrelay.client;

import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import org.springframework.dao.DataAccessException;
import org.springframework.jdbc.core.ConnectionCallback;
import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.transaction.support.TransactionSynchronizationManager;

/**
 * Waits until a consumer has committed the effects of some events, by asking its inbox by primary key. Each question is
 * a transaction of its own, and between two of them the thread holds no connection. Used by the thread that waits.
 */
record InboxWait(JdbcTemplate jdbc, DatabaseOfSource database, String consumer, Set<UUID> eventIds) {

    /** Most events of one wait: all their ids are in each statement. */
    static final int MOST_EVENTS = 1_000;

    /** An event that finds everybody idle is handled within some milliseconds; a pause grows by half each time. */
    private static final long FIRST_PAUSE_NANOS = TimeUnit.MILLISECONDS.toNanos(5);

    private static final long LONGEST_PAUSE_NANOS = TimeUnit.MILLISECONDS.toNanos(100);

    InboxWait {
        if (eventIds.size() > MOST_EVENTS) {
            throw new IllegalArgumentException("One call can wait for " + MOST_EVENTS + " events, not for "
                    + eventIds.size() + ". Wait for the last ones, or in several calls");
        }
    }

    /**
     * Waits.
     *
     * @return false if the time is over and the effect of at least one event is missing
     * @throws IllegalStateException if the thread is in a transaction
     */
    boolean run(Duration timeout) throws InterruptedException {
        refuseInTransaction();
        long start = System.nanoTime();
        long nanos = Math.max(0, TimeUnit.NANOSECONDS.convert(timeout));
        long pause = FIRST_PAUSE_NANOS;
        while (!allProcessed()) {
            long left = nanos - (System.nanoTime() - start);
            if (left <= 0) {
                return false;
            }
            TimeUnit.NANOSECONDS.sleep(Math.min(pause, left));
            pause = Math.min(pause + pause / 2, LONGEST_PAUSE_NANOS);
        }
        return true;
    }

    private static void refuseInTransaction() {
        boolean active = TransactionSynchronizationManager.isActualTransactionActive();
        if (active || TransactionWatch.ofThisThread().stream().anyMatch(begun -> !begun.isEnding())) {
            String name = active ? TransactionSynchronizationManager.getCurrentTransactionName() : null;
            throw new IllegalStateException("Not waited: the calling thread is in the transaction"
                    + (name == null ? "" : " " + name) + ", which holds a connection meanwhile, may not see what"
                    + " others commit, and has not published its own events yet. Wait after it has ended, outside of"
                    + " the method that is @Transactional");
        }
    }

    private boolean allProcessed() throws InterruptedException {
        if (Thread.interrupted()) {
            throw new InterruptedException();
        }
        try {
            Integer processed = jdbc.execute((ConnectionCallback<Integer>) this::processed);
            return processed != null && processed == eventIds.size();
        } catch (DataAccessException e) {
            if (Thread.interrupted()) { // which a pool reports as an error of its own
                throw (InterruptedException) new InterruptedException().initCause(e);
            }
            throw e;
        }
    }

    /** In a transaction of its own, also where the pool's connections are not in auto-commit mode. */
    private int processed(Connection connection) throws SQLException {
        if (connection.getAutoCommit()) {
            return count(connection);
        }
        connection.setAutoCommit(true);
        try {
            return count(connection);
        } finally {
            connection.setAutoCommit(false);
        }
    }

    private int count(Connection connection) throws SQLException {
        return database.run(connection, sql -> sql.processed(connection, consumer, eventIds));
    }
}
