package io.outboxrelay.spring;

import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.TimeGauge;
import io.micrometer.core.instrument.binder.MeterBinder;
import io.outboxrelay.client.Backlog;
import io.outboxrelay.client.MissingTableException;
import io.outboxrelay.client.Outbox;
import java.time.Duration;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.dao.InvalidDataAccessResourceUsageException;
import org.springframework.dao.PermissionDeniedDataAccessException;

/**
 * Backlog and lag of the outbox. A thread of its own asks the database now and then, from the first registration on,
 * and the gauges show its last answer: a scrape never waits for a database. {@code NaN} means that it is not known.
 */
final class OutboxMeters implements MeterBinder, AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(OutboxMeters.class);

    private final Outbox outbox;
    private final Duration every;
    private volatile @Nullable Backlog last;
    private @Nullable ScheduledExecutorService executor;

    OutboxMeters(Outbox outbox, Duration every) {
        this.outbox = outbox;
        this.every = every;
    }

    @Override
    public void bindTo(MeterRegistry registry) {
        Gauge.builder("outbox.backlog.events", this, OutboxMeters::events)
                .description("Events that are not yet published, without those that failed; at most 10,000 are counted")
                .register(registry);
        TimeGauge.builder("outbox.lag", this, TimeUnit.MILLISECONDS, OutboxMeters::lagMillis)
                .description("Age of the oldest event that is not yet published, without those that failed")
                .register(registry);
        start();
    }

    private double events() {
        Backlog backlog = last;
        return backlog == null ? Double.NaN : backlog.events();
    }

    private double lagMillis() {
        Backlog backlog = last;
        return backlog == null ? Double.NaN : backlog.oldest().toMillis();
    }

    private synchronized void start() {
        if (executor == null) {
            executor = Executors.newSingleThreadScheduledExecutor(task -> {
                Thread thread = new Thread(task, "outbox-meters");
                thread.setDaemon(true);
                return thread;
            });
            executor.scheduleWithFixedDelay(this::look, 0, every.toMillis(), TimeUnit.MILLISECONDS);
        }
    }

    private void look() {
        try {
            last = outbox.backlog();
        } catch (MissingTableException e) {
            last = null;
        } catch (InvalidDataAccessResourceUsageException | PermissionDeniedDataAccessException e) {
            LOG.info("The backlog of the outbox is not measured here, because the database user may not read the table."
                    + " The relay measures it. To measure it here too, grant SELECT on the outbox");
            LOG.debug("The outbox cannot be read", e);
            close();
        } catch (RuntimeException e) {
            last = null;
            LOG.debug("The outbox cannot be read now; trying again in {}", every, e);
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
