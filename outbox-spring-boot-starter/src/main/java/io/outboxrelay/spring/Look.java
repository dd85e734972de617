package io.outboxrelay.spring;

import io.outboxrelay.client.MissingTableException;
import java.time.Duration;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.dao.InvalidDataAccessResourceUsageException;
import org.springframework.dao.PermissionDeniedDataAccessException;

/**
 * A question that a thread of its own puts to the database now and then, once somebody wants the answer: whoever reads
 * the last one never waits for a database. Safe for use by many threads.
 *
 * @param <T> the answer
 */
final class Look<T> implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(Look.class);

    private final String thread;
    private final Supplier<T> question;
    private final Duration every;
    private final String withoutRights;
    private volatile @Nullable T last;
    private @Nullable ScheduledExecutorService executor;

    /**
     * Asks nothing yet.
     *
     * @param thread its name
     * @param withoutRights logged if the database user may not ask, and then nothing is asked any more
     */
    Look(String thread, Supplier<T> question, Duration every, String withoutRights) {
        this.thread = thread;
        this.question = question;
        this.every = every;
        this.withoutRights = withoutRights;
    }

    /** The last answer; null if there is none. */
    @Nullable
    T last() {
        return last;
    }

    /** Begins to ask, unless it has begun before. */
    synchronized void start() {
        if (executor == null) {
            executor = Executors.newSingleThreadScheduledExecutor(task -> {
                Thread made = new Thread(task, thread);
                made.setDaemon(true);
                return made;
            });
            executor.scheduleWithFixedDelay(this::ask, 0, every.toMillis(), TimeUnit.MILLISECONDS);
        }
    }

    private void ask() {
        try {
            last = question.get();
        } catch (MissingTableException e) {
            last = null;
        } catch (InvalidDataAccessResourceUsageException | PermissionDeniedDataAccessException e) {
            LOG.info(withoutRights);
            LOG.debug("The tables cannot be read", e);
            close();
        } catch (RuntimeException e) {
            last = null;
            LOG.debug("The tables cannot be read now; trying again in {}", every, e);
        }
    }

    @Override
    public synchronized void close() {
        last = null;
        if (executor != null) {
            executor.shutdownNow();
        }
    }
}
