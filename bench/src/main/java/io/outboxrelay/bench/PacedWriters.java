package io.outboxrelay.bench;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicLongArray;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * Connections of a service that commit events, each in a transaction of its own, at random times that do not depend on
 * how long anything takes: the pauses have an exponential distribution, so that they never keep step with the relay's
 * looks. The content type of an event is its number.
 */
final class PacedWriters implements AutoCloseable {

    private static final int CONNECTIONS = 8;
    private static final String INSERT = """
            INSERT INTO outbox_bench.outbox (aggregate_type, aggregate_id, event_type, payload, content_type)
            VALUES ('Order', ?, 'Placed', ?, ?)""";

    private final AtomicReference<@Nullable Exception> failure = new AtomicReference<>();
    private final AtomicLongArray committedAt;
    private final List<Thread> threads;
    private volatile boolean closed;

    /**
     * Begins to write, and ends after the last event.
     *
     * @param rate events a second of all connections
     * @param events how many in all
     * @param load aggregates and size of the payload
     */
    PacedWriters(Servers servers, double rate, int events, Load load) {
        committedAt = new AtomicLongArray(events);
        SplittableRandom random = new SplittableRandom(1);
        threads = IntStream.range(0, CONNECTIONS)
                .mapToObj(number -> {
                    SplittableRandom own = random.split();
                    return new Thread(
                            () -> write(servers, number, rate / CONNECTIONS, load, own), "paced-writer-" + number);
                })
                .toList();
        threads.forEach(Thread::start);
    }

    /** When the commit of an event returned, by {@code nanoTime}; 0 if it has not. */
    long committedAt(int event) {
        return committedAt.get(event);
    }

    /**
     * Returns after the last commit.
     *
     * @throws IllegalStateException if a writer has failed
     */
    void await() throws InterruptedException {
        for (Thread thread : threads) {
            thread.join();
        }
        Exception cause = failure.get();
        if (cause != null) {
            throw new IllegalStateException("A writer has failed: " + cause.getMessage(), cause);
        }
    }

    @Override
    public void close() {
        closed = true;
        try {
            for (Thread thread : threads) {
                thread.join();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void write(Servers servers, int first, double rate, Load load, SplittableRandom random) {
        try (Connection connection = servers.preparingDataSource().getConnection();
                PreparedStatement insert = connection.prepareStatement(INSERT)) {
            byte[] payload = new byte[load.payloadBytes()];
            long next = System.nanoTime();
            for (int event = first; event < committedAt.length() && !closed; event += CONNECTIONS) {
                next += Math.round(-Math.log(1 - random.nextDouble()) / rate * 1e9);
                sleepUntil(next);
                insert.setString(1, "order-" + random.nextInt(load.aggregates()));
                insert.setBytes(2, payload);
                insert.setString(3, Integer.toString(event));
                insert.executeUpdate();
                committedAt.set(event, System.nanoTime());
            }
        } catch (SQLException e) {
            failure.compareAndSet(null, e);
        }
    }

    private static void sleepUntil(long nanoTime) {
        for (long left = nanoTime - System.nanoTime(); left > 0; left = nanoTime - System.nanoTime()) {
            LockSupport.parkNanos(left);
        }
    }
}
