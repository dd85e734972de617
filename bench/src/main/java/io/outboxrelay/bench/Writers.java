package io.outboxrelay.bench;

import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.atomic.LongAdder;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/** Threads with a connection each, which commit one transaction after another until they are closed. */
final class Writers implements AutoCloseable {

    private final LongAdder committed = new LongAdder();
    private final AtomicReference<@Nullable Exception> failure = new AtomicReference<>();
    private final List<Thread> threads;
    private volatile boolean closed;

    /** Begins to write. */
    Writers(WriterTables tables, WriterVariant variant, int count) {
        SplittableRandom random = new SplittableRandom(1);
        threads = IntStream.range(0, count)
                .mapToObj(number -> {
                    SplittableRandom own = random.split();
                    return new Thread(() -> write(tables, variant, own), "writer-" + number);
                })
                .toList();
        threads.forEach(Thread::start);
    }

    /**
     * How many transactions have been committed.
     *
     * @throws IllegalStateException if one has failed
     */
    long committed() {
        Exception cause = failure.get();
        if (cause != null) {
            throw new IllegalStateException("A writer has failed: " + cause.getMessage(), cause);
        }
        return committed.sum();
    }

    /** Returns when all have ended. */
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

    private void write(WriterTables tables, WriterVariant variant, SplittableRandom random) {
        try (Connection connection = tables.connect()) {
            WriterTables.Transaction transaction = tables.on(connection, variant, random);
            while (!closed) {
                transaction.run();
                committed.increment();
            }
        } catch (SQLException | RuntimeException e) {
            failure.compareAndSet(null, e);
        }
    }
}
