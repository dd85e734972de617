package io.outboxrelay.bench;

import io.outboxrelay.testservers.ServiceEvent;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.SplittableRandom;
import java.util.UUID;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.random.RandomGenerator;
import java.util.stream.IntStream;

/**
 * A service with several connections. Each transaction changes one aggregate, so that writers of one aggregate take
 * turns, and writes one to five events; one in ten rolls back, one in fifty commits late. A writer whose database is
 * gone connects again and goes on.
 */
final class ChaosWriters implements AutoCloseable {

    private static final int CONNECTIONS = 4;
    private static final int MOST_EVENTS = 5;

    /** Slow enough for relays that are down half of the time to keep up with. */
    private static final Duration LONGEST_PAUSE = Duration.ofMillis(60);

    private static final Duration LONGEST_DELAY_OF_A_COMMIT = Duration.ofSeconds(3);

    private final ChaosSource source;
    private final CountDownLatch closed = new CountDownLatch(1);
    private final List<Thread> threads;

    /** Begins to write. */
    ChaosWriters(ChaosSource source, SplittableRandom random) {
        this.source = source;
        this.threads = IntStream.range(0, CONNECTIONS)
                .mapToObj(number -> {
                    RandomGenerator own = random.split();
                    return new Thread(() -> write(own), source.name() + "-writer-" + number);
                })
                .toList();
        threads.forEach(Thread::start);
    }

    /** Stops writing; open transactions are never committed. */
    @Override
    public void close() {
        closed.countDown();
        try {
            for (Thread thread : threads) {
                thread.join();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void write(RandomGenerator random) {
        try {
            while (closed.getCount() > 0) {
                try (Connection connection = source.database().dataSource().getConnection()) {
                    connection.setAutoCommit(false);
                    while (!closed.await(random.nextLong(LONGEST_PAUSE.toMillis()), TimeUnit.MILLISECONDS)) {
                        transaction(connection, random);
                    }
                } catch (SQLException e) {
                    // The database is down. Its own record shows whether the last commit succeeded.
                    closed.await(100, TimeUnit.MILLISECONDS);
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void transaction(Connection connection, RandomGenerator random) throws SQLException, InterruptedException {
        // Squared, so that the first aggregates are busy and the last ones are not.
        int aggregate = 1 + (int) (Math.pow(random.nextDouble(), 2) * ChaosSource.AGGREGATES);
        int events = random.nextInt(1, MOST_EVENTS + 1);
        long last = advance(connection, aggregate, events);
        for (long sequence = last - events + 1; sequence <= last; sequence++) {
            insert(connection, new ServiceEvent(UUID.randomUUID(), aggregate, sequence));
        }
        if (random.nextInt(10) == 0) {
            connection.rollback();
            return;
        }
        if (random.nextInt(50) == 0) {
            closed.await(random.nextLong(LONGEST_DELAY_OF_A_COMMIT.toMillis()), TimeUnit.MILLISECONDS);
        }
        connection.commit();
    }

    /** Takes the aggregate's next sequences, and with them the lock on its row until the end of the transaction. */
    private static long advance(Connection connection, int aggregate, int events) throws SQLException {
        try (PreparedStatement update = connection.prepareStatement(
                "UPDATE service_aggregate SET sequence = sequence + ? WHERE id = ? RETURNING sequence")) {
            update.setInt(1, events);
            update.setInt(2, aggregate);
            try (ResultSet row = update.executeQuery()) {
                row.next();
                return row.getLong(1);
            }
        }
    }

    private void insert(Connection connection, ServiceEvent event) throws SQLException {
        try (PreparedStatement insert = connection.prepareStatement("""
                WITH event AS (
                    INSERT INTO outbox (event_id, aggregate_type, aggregate_id, event_type, payload, content_type)
                    VALUES (?, ?, ?, 'changed', convert_to(?, 'UTF8'), 'text/plain'))
                INSERT INTO service_event (event_id, aggregate, sequence) VALUES (?, ?, ?)
                """)) {
            insert.setObject(1, event.id());
            insert.setString(2, source.name());
            insert.setString(3, Integer.toString(event.aggregate()));
            insert.setString(4, Long.toString(event.sequence()));
            insert.setObject(5, event.id());
            insert.setInt(6, event.aggregate());
            insert.setLong(7, event.sequence());
            insert.executeUpdate();
        }
    }
}
