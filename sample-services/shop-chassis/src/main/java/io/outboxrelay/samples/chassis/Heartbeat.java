package io.outboxrelay.samples.chassis;

import java.time.Duration;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import org.apache.avro.specific.SpecificRecord;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.context.SmartLifecycle;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.transaction.support.TransactionTemplate;

/**
 * Tells those who keep copies of a service's data that the service is there: without it nobody could tell an old copy from a
 * quiet service. Beats once in an interval however many instances the service has, through the outbox like everything else,
 * so that a beat that arrived means that the way was open. (It does not mean that every aggregate's events have arrived: one
 * may be parked. That is what the relay's own metrics are for.)
 *
 * <p>It needs a table with one row, here as PostgreSQL has it:
 *
 * <pre>{@code
 * CREATE TABLE heartbeat (version int NOT NULL, beat_at timestamptz NOT NULL);
 * INSERT INTO heartbeat VALUES (0, '2000-01-01 00:00:00Z');
 * }</pre>
 */
public final class Heartbeat implements SmartLifecycle {

    private static final Logger LOG = LoggerFactory.getLogger(Heartbeat.class);

    /**
     * What a beat tells.
     *
     * @param version grows by one with each
     * @param at by the database's clock
     */
    public record Beat(int version, Instant at) {}

    private final String service;
    private final Function<Beat, SpecificRecord> event;
    private final Events events;
    private final JdbcClient database;
    private final TransactionTemplate transaction;
    private final Duration interval;
    private @Nullable ScheduledExecutorService thread;

    Heartbeat(
            String service,
            Function<Beat, SpecificRecord> event,
            Events events,
            JdbcClient database,
            TransactionTemplate transaction,
            Duration interval) {
        this.service = service;
        this.event = event;
        this.events = events;
        this.database = database;
        this.transaction = transaction;
        this.interval = interval;
    }

    @Override
    public synchronized void start() {
        ScheduledExecutorService started = Executors.newSingleThreadScheduledExecutor(task -> {
            Thread beating = new Thread(task, "heartbeat");
            beating.setDaemon(true);
            return beating;
        });
        started.scheduleWithFixedDelay(this::tryToBeat, 0, interval.toMillis(), TimeUnit.MILLISECONDS);
        thread = started;
    }

    @Override
    public synchronized void stop() {
        if (thread != null) {
            thread.shutdownNow();
            thread = null;
        }
    }

    @Override
    public synchronized boolean isRunning() {
        return thread != null;
    }

    /** Beats if nobody has within the interval. */
    void beat() {
        transaction.executeWithoutResult(status -> {
            Beat last = last(" FOR UPDATE");
            OffsetDateTime now = database.sql("SELECT CURRENT_TIMESTAMP(6)")
                    .query(OffsetDateTime.class)
                    .single();
            // A little early counts as in time: the instances' threads do not wake to the millisecond.
            if (Duration.between(last.at(), now.toInstant()).compareTo(interval.dividedBy(2)) < 0) {
                return;
            }
            database.sql("UPDATE heartbeat SET version = version + 1, beat_at = CURRENT_TIMESTAMP(6)")
                    .update();
            events.publish("heartbeat", service, event.apply(last("")));
        });
    }

    private Beat last(String lock) {
        return database.sql("SELECT version, beat_at FROM heartbeat" + lock)
                .query((row, n) -> new Beat(
                        row.getInt("version"),
                        row.getObject("beat_at", OffsetDateTime.class).toInstant()))
                .single();
    }

    private void tryToBeat() {
        try {
            beat();
        } catch (RuntimeException e) {
            LOG.warn("No heartbeat this time; the next one is due in {}: {}", interval, e.toString());
        }
    }
}
