package io.outboxrelay.relay.source;

import io.outboxrelay.relay.database.OutboxStore;
import io.outboxrelay.relay.database.Wakeup;
import io.outboxrelay.relay.lane.Backoff;
import io.outboxrelay.relay.lane.Help;
import io.outboxrelay.relay.lane.LogKeys;
import io.outboxrelay.relay.source.Source.PollSettings;
import java.time.Duration;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.dao.DataAccessException;

/**
 * Where idle lanes wait. One query finds which of them have events above their floor, and wakes these. The wait between
 * two polls is short while events are being settled, and grows when they are not; a {@link Wakeup} ends it when an
 * event is written.
 */
final class Lookout {

    private static final Logger LOG = LoggerFactory.getLogger(Lookout.class);
    private static final double GROWTH = 1.5;
    private static final double JITTER = 0.25;
    private static final Duration BUSY = Duration.ofMillis(100);
    private static final Backoff BACKOFF = new Backoff(Duration.ofMillis(100), Duration.ofSeconds(2));
    /** A wait for a call cannot be ended by {@link #stop}. */
    private static final Duration LONGEST_WAIT_FOR_CALL = Duration.ofSeconds(1);

    private final String source;
    private final OutboxStore outbox;
    private final PollSettings settings;
    private final @Nullable Wakeup wakeup;
    private final RandomGenerator random;
    private final Complaints complaints;
    private final Complaints wakeupComplaints;
    private final Thread thread;

    private final ReentrantLock lock = new ReentrantLock();
    private final Condition change = lock.newCondition();
    private final Map<Integer, Long> waiting = new HashMap<>();
    private final Set<Integer> called = new HashSet<>();
    private double interval;
    private boolean stopped;

    // The thread's own.
    private int failures;

    /** @param wakeup notifies of an event that is written after a pause; null for polling only */
    Lookout(String source, OutboxStore outbox, PollSettings settings, @Nullable Wakeup wakeup, RandomGenerator random) {
        this.source = source;
        this.outbox = outbox;
        this.wakeup = wakeup;
        this.settings = settings;
        this.random = random;
        this.interval = settings.shortest().toNanos();
        this.complaints =
                new Complaints(LOG, Help.DATABASE, "Source " + source + ": polling for events", "idle lanes wait");
        this.wakeupComplaints = new Complaints(
                LOG,
                Help.DATABASE,
                "Source " + source + ": waiting for a notification",
                "events are found every poll.max");
        this.thread = new Thread(this::run, source + "-lookout");
    }

    void start() {
        thread.start();
    }

    void stop() {
        lock.lock();
        try {
            stopped = true;
            change.signalAll();
        } finally {
            lock.unlock();
        }
        thread.interrupt();
    }

    /** Listens for notifications on another connection from now on. */
    void renew() {
        if (wakeup != null) {
            wakeup.renew();
        }
    }

    /** Polls often: events are coming. */
    void busy() {
        lock.lock();
        try {
            interval = settings.shortest().toNanos();
        } finally {
            lock.unlock();
        }
    }

    /**
     * Waits until a lane has events.
     *
     * @param lane the lane
     * @param floor events above it count
     * @param atMost longest wait
     */
    void await(int lane, long floor, Duration atMost) throws InterruptedException {
        lock.lock();
        try {
            waiting.put(lane, floor);
            change.signalAll();
            awaitCall(lane, atMost);
        } finally {
            waiting.remove(lane);
            lock.unlock();
        }
    }

    /**
     * Waits although there may be events, unless another thread calls the lane.
     *
     * @param lane the lane
     * @param atMost longest wait
     */
    void pause(int lane, Duration atMost) throws InterruptedException {
        lock.lock();
        try {
            awaitCall(lane, atMost);
        } finally {
            lock.unlock();
        }
    }

    private void awaitCall(int lane, Duration atMost) throws InterruptedException {
        try {
            long left = atMost.toNanos();
            while (left > 0 && !stopped && !called.contains(lane)) {
                left = change.awaitNanos(left);
            }
        } finally {
            called.remove(lane);
        }
    }

    /** Wakes a lane that waits. */
    void call(int lane) {
        lock.lock();
        try {
            called.add(lane);
            change.signalAll();
        } finally {
            lock.unlock();
        }
    }

    private void run() {
        LogKeys.thisThreadServes(source);
        try {
            while (!isStopped()) {
                Map<Integer, Long> floors = whoWaits();
                if (floors.isEmpty()) {
                    stayAwake();
                } else {
                    look(floors);
                }
            }
        } catch (InterruptedException e) {
            LOG.debug("The lookout ends");
        } finally {
            if (wakeup != null) {
                wakeup.close();
            }
        }
    }

    private void look(Map<Integer, Long> floors) throws InterruptedException {
        @Nullable Duration pause = null;
        try {
            outbox.lanesWithEvents(floors).forEach(this::call);
            complaints.succeeded();
            failures = 0;
        } catch (RuntimeException e) {
            complaints.failed(e);
            pause = BACKOFF.after(++failures, random);
        }
        if (wakeup == null || pause != null) {
            sleep(pause == null ? nap() : pause);
        } else {
            rest(wakeup);
        }
    }

    /** All lanes have events: notifications are not needed meanwhile. */
    private void stayAwake() {
        if (wakeup != null) {
            try {
                wakeup.awake();
                wakeupComplaints.succeeded();
            } catch (DataAccessException e) {
                complain(e);
            }
        }
    }

    /** When the relay stops, its connection is closed under it. */
    private void complain(DataAccessException e) {
        if (!isStopped()) {
            wakeupComplaints.failed(e);
        }
    }

    /** While events are coming it polls; then it asks for notifications, polls once more, and sleeps. */
    private void rest(Wakeup calls) throws InterruptedException {
        Duration nap = nap();
        try {
            if (nap.compareTo(settings.longest().dividedBy(2)) < 0) {
                calls.awake();
                sleep(nap);
            } else if (!calls.asleep() && wasCalled(calls, nap)) {
                busy();
            }
            wakeupComplaints.succeeded();
        } catch (DataAccessException e) {
            complain(e);
            sleep(nap);
        }
    }

    private boolean wasCalled(Wakeup calls, Duration nap) {
        long end = System.nanoTime() + nap.toNanos();
        for (Duration left = nap;
                left.toMillis() > 0 && !isStopped();
                left = Duration.ofNanos(end - System.nanoTime())) {
            if (calls.await(left.compareTo(LONGEST_WAIT_FOR_CALL) < 0 ? left : LONGEST_WAIT_FOR_CALL)) {
                return true;
            }
        }
        return false;
    }

    private boolean isStopped() {
        lock.lock();
        try {
            return stopped;
        } finally {
            lock.unlock();
        }
    }

    /**
     * Returns the waiting lanes and their floors as soon as there are any; none when stopped, or when none waited for a
     * while.
     */
    private Map<Integer, Long> whoWaits() throws InterruptedException {
        lock.lock();
        try {
            long left = BUSY.toNanos();
            while (waiting.isEmpty() && !stopped && left > 0) {
                left = change.awaitNanos(left);
            }
            return Map.copyOf(waiting);
        } finally {
            lock.unlock();
        }
    }

    /** Returns how long to wait; the next wait is longer, unless events come. */
    private Duration nap() {
        lock.lock();
        try {
            double jittered = interval * (1 + JITTER * (2 * random.nextDouble() - 1));
            interval = Math.min(interval * GROWTH, settings.longest().toNanos());
            return Duration.ofNanos((long) jittered);
        } finally {
            lock.unlock();
        }
    }

    private void sleep(Duration nap) throws InterruptedException {
        lock.lock();
        try {
            long left = nap.toNanos();
            while (left > 0 && !stopped) {
                left = change.awaitNanos(left);
            }
        } finally {
            lock.unlock();
        }
    }
}
