package io.outboxrelay.spring;

import io.outboxrelay.client.Inbox;
import java.time.Duration;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.context.SmartLifecycle;

/** Lets the inbox forget old events while the application runs, in a thread of its own. */
final class InboxPurge implements SmartLifecycle {

    private static final Logger LOG = LoggerFactory.getLogger(InboxPurge.class);

    private final Inbox inbox;
    private final Duration olderThan;
    private final Duration every;
    private final AtomicLong purged = new AtomicLong();
    private @Nullable ScheduledExecutorService executor;

    InboxPurge(Inbox inbox, Duration olderThan, Duration every) {
        this.inbox = inbox;
        this.olderThan = olderThan;
        this.every = every;
    }

    @Override
    public synchronized void start() {
        ScheduledExecutorService started =
                Executors.newSingleThreadScheduledExecutor(task -> new Thread(task, "outbox-inbox-purge"));
        started.scheduleWithFixedDelay(this::purge, 0, every.toMillis(), TimeUnit.MILLISECONDS);
        executor = started;
    }

    @Override
    public synchronized void stop() {
        if (executor != null) {
            executor.shutdownNow();
            executor = null;
        }
    }

    @Override
    public synchronized boolean isRunning() {
        return executor != null;
    }

    /** How many entries were deleted since the start. */
    long purged() {
        return purged.get();
    }

    private void purge() {
        try {
            int deleted = inbox.purge(olderThan);
            purged.addAndGet(deleted);
            LOG.debug("Deleted {} inbox entries older than {}", deleted, olderThan);
        } catch (RuntimeException e) {
            LOG.warn("Purging the inbox failed; retrying in {}: {}", every, e.toString());
        }
    }
}
