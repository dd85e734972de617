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
 * two polls grows with the time since events were settled last; a {@link Wakeup} ends it when an event is written.
 */
final class Lookout {

    private static final Logger LOG = LoggerFactory.getLogger(Lookout.class);
    /** An event waits for an eighth of the silence before it, at most. */
    private static final int PART_OF_SILENCE = 8;

    private static final double JITTER = 0.25;

    /** After so long a silence, writers are asked to call: most of their transactions are shorter. */
    private static final Duration AWAKE = Duration.ofMillis(100);

    /**
     * Longest wait for a notification. An event that was written without one, just before the relay slept, is found by
     * the poll after it.
     */
    private static final Duration LONGEST_SLEEP = Duration.ofSeconds(1);

    private static final Duration BUSY = Duration.ofMillis(100);
    private static final Backoff BACKOFF = new Backoff(Duration.ofMillis(100), Duration.ofSeconds(2));

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
    private long lastSettled = System.nanoTime();
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

    /** Polls often: events have come. */
    void busy() {
        lock.lock();
        try {
            lastSettled = System.nanoTime();
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
            floors.keySet().forEach(this::call); // they find out for themselves why nothing moves, and say so
        }
        if (wakeup == null || pause != null) {
            sleep(pause == null ? nap(settings.longest()) : pause);
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

    /** While events are coming it polls; then it asks for calls, polls once more, and waits for one. */
    private void rest(Wakeup calls) throws InterruptedException {
        try {
            if (silence() < AWAKE.toNanos()) {
                calls.awake();
                sleep(nap(Duration.ofNanos(
                        Math.min(AWAKE.toNanos(), settings.longest().toNanos()))));
            } else if (!calls.asleep() && wasCalled(calls)) {
                busy();
            }
            wakeupComplaints.succeeded();
        } catch (DataAccessException e) {
            complain(e);
            sleep(nap(settings.longest()));
        }
    }

    /** {@link #stop} cannot end a wait for a call, so it is made of short ones. */
    private boolean wasCalled(Wakeup calls) {
        long longest = settings.longest().toNanos();
        long end = System.nanoTime()
                + nap(Duration.ofNanos(calls.isCalled() ? Math.max(longest, LONGEST_SLEEP.toNanos()) : longest))
                        .toNanos();
        for (long left = end - System.nanoTime(); left > 0 && !isStopped(); left = end - System.nanoTime()) {
            if (calls.await(Duration.ofNanos(Math.min(left, LONGEST_SLEEP.toNanos())))) {
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

    private long silence() {
        lock.lock();
        try {
            return System.nanoTime() - lastSettled;
        } finally {
            lock.unlock();
        }
    }

    private Duration nap(Duration longest) {
        long wait = Math.max(silence() / PART_OF_SILENCE, settings.shortest().toNanos());
        double jittered = Math.min(wait, longest.toNanos()) * (1 + JITTER * (2 * random.nextDouble() - 1));
        return Duration.ofNanos((long) jittered);
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
