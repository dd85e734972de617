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
 * Publishes heartbeats of a service for the services that keep copies of its data. Without them an outdated copy would
 * look like a service without changes. There is one heartbeat in an interval, however many instances the service has.
 * It takes the way of all events, through the outbox, so a heartbeat that arrives shows that the way is open. (It does
 * not show that all events of every aggregate have arrived: one may be parked. The relay's metrics show that.)
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
     * The contents of a heartbeat.
     *
     * @param version increases by one with each heartbeat
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

    /** Publishes a heartbeat if no instance has within the interval. */
    void beat() {
        transaction.executeWithoutResult(status -> {
            Beat last = last(" FOR UPDATE");
            OffsetDateTime now = database.sql("SELECT CURRENT_TIMESTAMP(6)")
                    .query(OffsetDateTime.class)
                    .single();
            // A little early counts as in time, because the instances' threads do not wake exactly on time.
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
            LOG.warn("Could not publish a heartbeat; retrying in {}: {}", interval, e.toString());
        }
    }
}
