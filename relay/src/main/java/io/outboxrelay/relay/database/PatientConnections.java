package io.outboxrelay.relay.database;

import io.outboxrelay.relay.lane.Backoff;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.SQLTransientConnectionException;
import java.time.Duration;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.random.RandomGenerator;
import javax.sql.DataSource;
import org.springframework.jdbc.datasource.DelegatingDataSource;

/**
 * Where a pool takes its connections from. The pool waits longer and longer between attempts, up to 5 s, but all pools
 * alike: here a random part is added, so that relays that have lost a server together do not come back together. Called by
 * the pool's thread for new connections.
 */
final class PatientConnections extends DelegatingDataSource {

    private static final Backoff BACKOFF = new Backoff(Duration.ofMillis(100), Duration.ofSeconds(2));

    private final RandomGenerator random;
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition never = lock.newCondition();
    private int failures;

    /**
     * @param driver opens the connections
     * @param random jitter
     */
    PatientConnections(DataSource driver, RandomGenerator random) {
        super(driver);
        this.random = random;
    }

    @Override
    public Connection getConnection() throws SQLException {
        lock.lock();
        try {
            if (failures > 0) {
                waitABit();
            }
            Connection connection = super.getConnection();
            failures = 0;
            return connection;
        } catch (SQLException e) {
            failures++;
            throw e;
        } finally {
            lock.unlock();
        }
    }

    private void waitABit() throws SQLException {
        try {
            long left = BACKOFF.after(failures, random).toNanos();
            while (left > 0) {
                left = never.awaitNanos(left);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new SQLTransientConnectionException("not connected any more: the pool is closed");
        }
    }
}
