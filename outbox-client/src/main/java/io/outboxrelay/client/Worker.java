package io.outboxrelay.client;

import io.outboxrelay.client.Effects.Failure;
import io.outboxrelay.client.Effects.Fault;
import io.outboxrelay.client.Effects.Result;
import io.outboxrelay.client.IdempotentConsumer.GiveUp;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Queue;
import java.util.UUID;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Handles the events of its share of the aggregates, those of one aggregate in the order in which they arrive. It knows
 * the broker as {@link Taken.Origin} and the database as {@link Effects}, so that a simulation can be both.
 *
 * <p>One {@linkplain #step step} handles a batch in one transaction. If that fails, its events are handled one at a
 * time. The aggregate of an event that fails alone is held: the event waits for its next attempt, and later ones of the
 * aggregate wait behind it in memory, while other aggregates continue. An event that is given up is parked or rejected,
 * and then the next of its aggregate follows; if it was parked, the database lets that one wait.
 *
 * <p>A batch grows from one event to the configured size while its transactions are short, so that a slow handler does
 * not keep a transaction open for long.
 *
 * <p>Everything but {@link #add} is called by one thread. A crash loses nothing but memory: what is not settled the
 * broker delivers again.
 */
final class Worker {

    private static final Logger LOG = LoggerFactory.getLogger(IdempotentConsumer.class);

    /**
     * An event that the database refuses to store this often cannot be stored. A lost session is no refusal, unless
     * sessions are lost so often under the event that it must be the reason.
     */
    private static final int MOST_REFUSALS = 3;

    private final Effects effects;
    private final ConsumerSettings settings;
    private final ConsumerCounts counts;
    private final Host host;
    private final LongSupplier clock;
    private final FaultLog freeFaults = new FaultLog(LOG);
    private final Queue<Taken> inlet = new ConcurrentLinkedQueue<>();
    private final Semaphore signals = new Semaphore(0);
    private final Deque<Taken> ready = new ArrayDeque<>();
    private final Map<Aggregate, Held> held = new HashMap<>();
    private final BatchSize size;

    /** What events have cost that failed and are not done, over connections to the broker. */
    private final Map<UUID, Tries> failing = Tries.memory();

    /** @param clock as {@link System#nanoTime} */
    Worker(Effects effects, ConsumerSettings settings, ConsumerCounts counts, Host host, LongSupplier clock) {
        this.clock = clock;
        this.effects = effects;
        this.settings = settings;
        this.size = new BatchSize(settings.batch());
        this.counts = counts;
        this.host = host;
    }

    /** The consumer, as its workers see it. Safe for many threads. */
    interface Host {

        /** Whether the worker should end. */
        boolean stopping();

        /**
         * Waits until the database answers, at most for the consumer's patience.
         *
         * @return whether it had to wait
         * @throws DatabaseAwayException if the patience is over
         */
        boolean databaseWasAway() throws DatabaseAwayException;
    }

    /** The database has been away for longer than the consumer's patience. */
    static final class DatabaseAwayException extends Exception {}

    /** The events of an aggregate, the first of which has failed. */
    private static final class Held {

        private final Deque<Taken> events = new ArrayDeque<>();
        private long dueAt;
    }

    /** Adds a delivery; called by the threads of the broker's client, in the order of the queue. */
    void add(Taken taken) {
        inlet.add(taken);
        signals.release();
    }

    /** Ends a wait; called by any thread. */
    void wake() {
        signals.release();
    }

    /** Forgets the deliveries that will come again. Others may already be there: those of the next connection. */
    void forget() {
        inlet.removeIf(Worker::comesAgain);
        ready.removeIf(Worker::comesAgain);
        held.values().forEach(aggregate -> aggregate.events.removeIf(Worker::comesAgain));
        held.values().removeIf(aggregate -> aggregate.events.isEmpty());
    }

    /** The same for what has only arrived; called by any thread, because this worker may be at something long. */
    void forgetArrivals() {
        inlet.removeIf(Worker::comesAgain);
    }

    private static boolean comesAgain(Taken taken) {
        return !taken.origin().isOpen();
    }

    /** Waits until there may be something to do. */
    void await() throws InterruptedException {
        long now = clock.getAsLong();
        long longest = Duration.ofSeconds(1).toNanos();
        for (Held each : held.values()) {
            longest = Math.min(longest, each.dueAt - now);
        }
        if (longest > 0 && signals.tryAcquire(longest, TimeUnit.NANOSECONDS)) {
            signals.drainPermits();
        }
    }

    /**
     * Does the next thing, if there is one.
     *
     * @return false if there is nothing to do yet
     */
    boolean step() throws DatabaseAwayException {
        for (Taken taken = inlet.poll(); taken != null; taken = inlet.poll()) {
            ready.add(taken);
        }
        Taken due = nextHeld();
        List<Taken> batch = due == null ? nextBatch() : begun(due);
        if (batch.isEmpty()) {
            return due != null;
        }
        try {
            handle(batch);
        } finally {
            batch.forEach(taken -> taken.origin().end());
        }
        return true;
    }

    private static List<Taken> begun(Taken taken) {
        return taken.origin().begin() ? List.of(taken) : List.of();
    }

    /** The first event of a held aggregate that is to be tried again now. */
    private @Nullable Taken nextHeld() {
        long now = clock.getAsLong();
        for (Iterator<Held> each = held.values().iterator(); each.hasNext(); ) {
            Held aggregate = each.next();
            aggregate.events.removeIf(Worker::comesAgain);
            if (aggregate.events.isEmpty()) {
                each.remove();
            } else if (aggregate.dueAt - now <= 0) {
                return aggregate.events.peek();
            }
        }
        return null;
    }

    private List<Taken> nextBatch() {
        List<Taken> batch = new ArrayList<>();
        while (batch.size() < size.limit() && !ready.isEmpty()) {
            Taken taken = ready.remove();
            Held aggregate = held.get(key(taken));
            if (aggregate != null) {
                aggregate.events.add(taken);
            } else if (taken.isSuspect() && !batch.isEmpty()) {
                ready.addFirst(taken);
                return batch;
            } else if (taken.origin().begin()) {
                batch.add(taken);
                if (taken.isSuspect()) {
                    return batch;
                }
            }
        }
        return batch;
    }

    /** Nothing waits behind an event without an aggregate. */
    private static Aggregate key(Taken taken) {
        Aggregate aggregate = Aggregate.of(taken.event());
        return aggregate.isNone() ? new Aggregate("", taken.event().id().toString()) : aggregate;
    }

    private void handle(List<Taken> batch) throws DatabaseAwayException {
        if (batch.size() == 1) {
            handle(batch.get(0));
            return;
        }
        Result result = effects.handle(batch);
        Optional<Failure> failure = result.failure();
        if (failure.isEmpty()) {
            settle(batch, result);
            return;
        }
        size.failed();
        counts.retried.incrementAndGet();
        LOG.debug(
                "The consumer {} handles {} events one at a time",
                settings.name(),
                batch.size(),
                failure.get().cause());
        if (failure.get().fault() == Fault.DATABASE) {
            host.databaseWasAway();
        }
        for (Taken taken : batch) {
            Held aggregate = held.get(key(taken));
            if (aggregate != null) {
                aggregate.events.add(taken);
            } else if (!host.stopping() && taken.origin().isOpen()) {
                handle(taken);
            }
        }
    }

    private void handle(Taken taken) throws DatabaseAwayException {
        Tries tries = failing.get(taken.event().id());
        if (tries != null && tries.exhausted()) {
            giveUp(taken, tries);
            return;
        }
        Result result = effects.handle(List.of(taken));
        Optional<Failure> failure = result.failure();
        if (failure.isEmpty()) {
            settle(List.of(taken), result);
        } else {
            failed(taken, failure.get());
        }
    }

    private void settle(List<Taken> batch, Result result) {
        counts.committed(result.fates());
        for (int i = 0; i < batch.size(); i++) {
            Taken taken = batch.get(i);
            counts.done(taken.event(), result.fates().get(i), result.nanos() / batch.size());
            release(taken);
            taken.origin().done(taken);
        }
        size.committed(batch.size(), result.nanos());
    }

    /** The event is settled; those behind it are next. */
    private void release(Taken taken) {
        failing.remove(taken.event().id());
        Held aggregate = held.get(key(taken));
        if (aggregate != null && aggregate.events.peek() == taken) {
            held.remove(key(taken));
            aggregate.events.remove();
            while (!aggregate.events.isEmpty()) {
                ready.addFirst(aggregate.events.removeLast());
            }
        }
    }

    private void failed(Taken taken, Failure failure) throws DatabaseAwayException {
        Tries tries = failing.computeIfAbsent(taken.event().id(), id -> new Tries(settings));
        Fault fault;
        try {
            fault = host.databaseWasAway() ? Fault.DATABASE : failure.fault();
        } catch (DatabaseAwayException e) {
            tries.failed(Fault.DATABASE, failure.cause(), clock.getAsLong());
            if (tries.exhausted() && settings.giveUp() == GiveUp.DEAD_LETTER) {
                giveUp(taken, tries);
            }
            throw e;
        }
        if (host.stopping()) {
            return;
        }
        if (fault == Fault.REFUSED) {
            refused(taken, tries, "can neither handle nor store " + taken.event(), failure.cause());
            return;
        }
        tries.failed(fault, failure.cause(), clock.getAsLong());
        if (fault == Fault.CONTENTION) {
            counts.contentions.incrementAndGet();
        }
        if (tries.exhausted()) {
            giveUp(taken, tries);
            return;
        }
        report(taken.event(), tries, fault, failure.cause());
        counts.retried.incrementAndGet();
        hold(taken, tries.untilNext());
    }

    private void hold(Taken taken, Duration time) {
        Held aggregate = held.computeIfAbsent(key(taken), key -> new Held());
        if (aggregate.events.peek() != taken) {
            aggregate.events.addFirst(taken);
        }
        aggregate.dueAt = clock.getAsLong() + time.toNanos();
    }

    private void giveUp(Taken taken, Tries tries) throws DatabaseAwayException {
        if (settings.giveUp() == GiveUp.DEAD_LETTER) {
            report(taken.event(), tries, settings.deadLetters());
            reject(taken);
            return;
        }
        Fate fate;
        try {
            fate = effects.park(taken, tries.spent(), tries.rejected(), tries.cause());
        } catch (RuntimeException e) {
            notStored(taken, tries, e);
            return;
        }
        if (fate == Fate.PARKED) {
            report(taken.event(), tries, "the table inbox_failure");
        } else {
            LOG.info(
                    "The consumer {} does not park {}, which it has given up: {}",
                    settings.name(),
                    taken.event(),
                    fate == Fate.WAITING
                            ? "it waits in the table inbox_failure for an earlier event of its aggregate"
                            : "another process has handled or stored it");
        }
        counts.done(taken.event(), fate, 0);
        release(taken);
        taken.origin().done(taken);
    }

    private void notStored(Taken taken, Tries tries, RuntimeException failure) throws DatabaseAwayException {
        // Contention is no refusal: the other process, frozen perhaps, may still handle the event.
        if (host.databaseWasAway() || Causes.sayContention(failure)) {
            hold(taken, tries.untilNext());
            return;
        }
        refused(taken, tries, "cannot store " + taken.event() + ", which it has given up", failure);
    }

    private void refused(Taken taken, Tries tries, String what, Throwable failure) {
        if (tries.notStored(Causes.sayConnectionLoss(failure)) < MOST_REFUSALS) {
            hold(taken, tries.untilNext());
            return;
        }
        LOG.warn(
                "The consumer {} {}: it goes to {}, and later events of its aggregate do not wait for it",
                settings.name(),
                what,
                settings.deadLetters(),
                failure);
        reject(taken);
    }

    private void reject(Taken taken) {
        release(taken);
        taken.origin().reject(taken);
        counts.deadLettered.incrementAndGet();
    }

    private void report(ReceivedEvent event, Tries tries, Fault fault, Throwable cause) {
        if (tries.lastWasFree()) {
            freeFaults.fault(
                    "The consumer " + settings.name() + " retries " + event
                            + " without spending an attempt, because of " + why(fault),
                    cause);
        } else {
            LOG.warn(
                    "The consumer {} failed to handle {}, attempt {} of {}, and retries it: {}",
                    settings.name(),
                    event,
                    tries.spent(),
                    settings.attempts(),
                    cause.toString());
        }
    }

    private static String why(Fault fault) {
        return switch (fault) {
            case CONTENTION -> "contention";
            case TRANSIENT -> "a transient failure";
            default -> "its lost connection to the database";
        };
    }

    private void report(ReceivedEvent event, Tries tries, String where) {
        if (tries.rejected()) {
            LOG.warn("The consumer {} rejects {}: it goes to {}", settings.name(), event, where, tries.cause());
        } else {
            LOG.warn(
                    "The consumer {} failed {} times to handle {}: it goes to {}",
                    settings.name(),
                    tries.spent(),
                    event,
                    where,
                    tries.cause());
        }
    }
}
