package io.outboxrelay.relay.source;

import io.outboxrelay.relay.lane.LogKeys;
import java.time.Duration;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.Marker;

/**
 * Runs a small task again and again on a thread of its own, whether or not a run fails. The wait is shorter than the
 * interval by a small random part, so that relays which have lost a database together do not return together. It does
 * not grow with failures, because leases are renewed by such a task.
 */
final class PeriodicTask {

    private static final Logger LOG = LoggerFactory.getLogger(PeriodicTask.class);
    private static final double JITTER = 0.1;

    private final String source;
    private final Runnable task;
    private final Duration interval;
    private final Complaints complaints;
    private final Thread thread;
    private final RandomGenerator random = RandomGenerator.getDefault();
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition change = lock.newCondition();
    private boolean stopped;

    /**
     * @param source name of the source that it works for
     * @param name name of the task, part of its thread's name
     * @param help the section about its faults
     * @param what what the task does, for the log
     * @param consequence what follows when it fails
     * @param interval longest wait between two runs
     * @param task an exception ends one run only
     */
    PeriodicTask(
            String source,
            String name,
            Marker help,
            String what,
            String consequence,
            Duration interval,
            Runnable task) {
        this.source = source;
        this.task = task;
        this.interval = interval;
        this.complaints = new Complaints(LOG, help, "Source " + source + ": " + what, consequence);
        this.thread = new Thread(this::run, source + "-" + name);
    }

    void start() {
        thread.start();
    }

    /** Why the last run failed; null when it did not. */
    @Nullable
    String trouble() {
        return complaints.current();
    }

    /**
     * Lets the current run end, and no other begin.
     *
     * @param atMost longest wait for the end
     * @return whether it has ended
     */
    boolean stop(Duration atMost) throws InterruptedException {
        lock.lock();
        try {
            stopped = true;
            change.signalAll();
        } finally {
            lock.unlock();
        }
        thread.join(Math.max(1, atMost.toMillis()));
        return !thread.isAlive();
    }

    private void run() {
        LogKeys.thisThreadServes(source);
        do {
            try {
                task.run();
                complaints.succeeded();
            } catch (RuntimeException e) {
                if (!isStopped()) {
                    complaints.failed(e);
                }
            }
        } while (waited());
    }

    private boolean isStopped() {
        lock.lock();
        try {
            return stopped;
        } finally {
            lock.unlock();
        }
    }

    private boolean waited() {
        lock.lock();
        try {
            long left = (long) (interval.toNanos() * (1 - JITTER * random.nextDouble()));
            while (!stopped && left > 0) {
                left = change.awaitNanos(left);
            }
            return !stopped;
        } catch (InterruptedException e) {
            return false;
        } finally {
            lock.unlock();
        }
    }
}
