package io.outboxrelay.client;

import io.outboxrelay.client.Database.StoredEvent;
import io.outboxrelay.client.Effects.Failure;
import io.outboxrelay.client.Effects.Fault;
import io.outboxrelay.client.Effects.Result;
import io.outboxrelay.client.InboxFailures.Begun;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Handles stored events that are due: those that a person retries, and those that waited behind them. While an
 * aggregate has one, workers handle none of its events, so nobody else is at it. Used by one thread; others of the
 * consumer, in this process or another, do the same, and each locks what it handles.
 *
 * <p>As a worker does, it handles a batch of events in one transaction, those of an aggregate in their order, and one
 * at a time if that fails; so an aggregate whose events arrive as fast as they are handled catches up. Other than a
 * worker's, every attempt is counted before it is made, because one of these events may end the process. If one does,
 * all events of its batch have an attempt behind them, and what has is handled alone.
 */
final class StoredRetries {

    private static final Logger LOG = LoggerFactory.getLogger(IdempotentConsumer.class);

    /** Between two looks for first events that nobody has moved up. */
    private static final long SWEEP = Duration.ofSeconds(5).toNanos();

    private final InboxEffects effects;
    private final InboxFailures failures;
    private final ConsumerSettings settings;
    private final ConsumerCounts counts;
    private final LongSupplier clock;
    private final FaultLog faults = new FaultLog(LOG);
    private final BatchSize size;

    /** What events have met that nobody is to blame for; the table has the attempts that are spent. */
    private final Map<Long, Tries> failing;

    private final OwedAttempts owed;

    private long sweepAt;

    /**
     * @param failing shared by all threads of a process
     * @param owed the same
     */
    StoredRetries(
            InboxEffects effects,
            ConsumerSettings settings,
            ConsumerCounts counts,
            LongSupplier clock,
            Map<Long, Tries> failing,
            OwedAttempts owed) {
        this.failing = failing;
        this.owed = owed;
        this.effects = effects;
        this.failures = effects.failures();
        this.settings = settings;
        this.counts = counts;
        this.clock = clock;
        this.size = new BatchSize(settings.batch());
        this.sweepAt = clock.getAsLong();
    }

    /**
     * Handles what is due, a batch at most.
     *
     * @param stopping whether it should not begin another event
     * @param more told whether another thread could do something too, before the events are handled
     * @return the number of events that were tried; 0 if nothing is due
     * @throws RuntimeException if the database is away
     */
    int turn(BooleanSupplier stopping, Consumer<Boolean> more) {
        giveBack();
        long now = clock.getAsLong();
        if (now - sweepAt >= 0) {
            failures.moveUp();
            sweepAt = now + SWEEP;
        }
        Begun next = failures.begin(size.limit(), settings.prefetchBytes(), mostEnds());
        more.accept(next.more());
        List<StoredEvent> begun = next.events();
        if (begun.size() == 1 && begun.get(0).attempts() >= mostEnds()) {
            parked(begun.get(0), new IllegalStateException("Its processes have ended during its attempts"));
        } else if (!begun.isEmpty()) {
            Set<Aggregate> changed = tryOnce(begun, stopping);
            giveBack();
            if (!changed.isEmpty()) {
                failures.moveUp(changed);
            }
        }
        return begun.size();
    }

    /** What an outage of the database has left to do, the next turn of any thread does. */
    private void giveBack() {
        List<Long> left = owed.take();
        if (left.isEmpty()) {
            return;
        }
        try {
            left = failures.giveBack(left);
        } finally {
            owed.owe(left);
        }
    }

    /** An error that ends the process leaves the attempts counted: they may have been its reason. */
    private Set<Aggregate> tryOnce(List<StoredEvent> begun, BooleanSupplier stopping) {
        List<Long> ids = begun.stream().map(StoredEvent::id).toList();
        owed.begun(ids);
        try {
            Set<Aggregate> changed = handle(begun, stopping);
            owed.ended(ids);
            return changed;
        } catch (RuntimeException e) {
            owed.ended(ids);
            throw e;
        }
    }

    /** Returns the aggregates whose events were handled. */
    private Set<Aggregate> handle(List<StoredEvent> begun, BooleanSupplier stopping) {
        Set<Aggregate> changed = new HashSet<>();
        if (begun.size() == 1 || !handledAtOnce(begun, changed)) {
            Set<Aggregate> stopped = new HashSet<>();
            for (StoredEvent stored : begun) {
                Aggregate aggregate = Aggregate.of(stored.event());
                if (!stopping.getAsBoolean()
                        && !stopped.contains(aggregate)
                        && !handledAlone(stored, stopping, changed)
                        && !aggregate.isNone()) {
                    stopped.add(aggregate);
                }
            }
        }
        return changed;
    }

    private boolean handledAtOnce(List<StoredEvent> begun, Set<Aggregate> changed) {
        Handled handled = attempt(begun);
        Optional<Failure> failure = handled.result().failure();
        if (failure.isEmpty()) {
            settle(handled, changed);
            return true;
        }
        size.failed();
        counts.retried.incrementAndGet();
        LOG.debug(
                "The consumer {} handles {} stored events one at a time",
                settings.name(),
                begun.size(),
                failure.get().cause());
        return false;
    }

    private boolean handledAlone(StoredEvent stored, BooleanSupplier stopping, Set<Aggregate> changed) {
        Handled handled = attempt(List.of(stored));
        Optional<Failure> failure = handled.result().failure();
        if (failure.isPresent()) {
            if (!stopping.getAsBoolean()) {
                failed(stored, failure.get());
            }
            return false;
        }
        settle(handled, changed);
        return !handled.events().isEmpty();
    }

    private Handled attempt(List<StoredEvent> begun) {
        Attempt attempt = effects.attempt();
        List<StoredEvent> handled = new ArrayList<>();
        Result result = attempt.run(() -> {
            handled.addAll(failures.process(
                    begun,
                    there -> attempt.handle(
                            there.stream().map(StoredEvent::event).toList())));
            return Collections.nCopies(handled.size(), Fate.HANDLED);
        });
        return new Handled(handled, result);
    }

    /** What has come of an attempt. */
    private record Handled(List<StoredEvent> events, Result result) {}

    private void settle(Handled handled, Set<Aggregate> changed) {
        Result result = handled.result();
        counts.committed(result.fates());
        int number = handled.events().size();
        for (StoredEvent stored : handled.events()) {
            owed.spent(stored.id());
            failing.remove(stored.id());
            counts.done(stored.event(), Fate.HANDLED, result.nanos() / number);
            Aggregate aggregate = Aggregate.of(stored.event());
            if (!aggregate.isNone()) {
                changed.add(aggregate);
            }
        }
        size.committed(number, result.nanos());
    }

    /** One more than may fail: what a person retries may have all its attempts behind it. */
    private int mostEnds() {
        return settings.attempts() + 1;
    }

    /** A failure that nobody is to blame for spends no attempt as long as one of a delivered event would not. */
    private void failed(StoredEvent stored, Failure failure) {
        Tries tries = failing.computeIfAbsent(stored.id(), id -> new Tries(settings));
        Fault fault = databaseAnswers() ? failure.fault() : Fault.DATABASE;
        tries.failed(fault, failure.cause(), clock.getAsLong());
        if (fault == Fault.CONTENTION) {
            counts.contentions.incrementAndGet();
        }
        boolean free = tries.lastWasFree();
        if (!free) {
            // If this cannot be written, what was counted stays counted.
            owed.spent(stored.id());
        }
        int attempts = stored.attempts() + (free ? 0 : 1);
        boolean parked = tries.rejected() || !free && attempts >= settings.attempts();
        Duration wait = free ? tries.untilNext() : settings.backoff().after(attempts);
        boolean written = failures.failed(stored, attempts, parked ? null : wait, tries.rejected(), failure.cause());
        owed.spent(stored.id());
        if (!written) {
            LOG.debug("Another process has taken charge of {}", stored.event());
            return;
        }
        if (parked) {
            parked(stored, failure.cause());
            return;
        }
        counts.retried.incrementAndGet();
        faults.fault(
                "The consumer " + settings.name() + " retries " + stored.event()
                        + " from the table inbox_failure, with " + attempts + " of " + settings.attempts()
                        + " attempts spent",
                failure.cause());
    }

    private boolean databaseAnswers() {
        try {
            effects.probe();
            return true;
        } catch (RuntimeException e) {
            return false;
        }
    }

    private void parked(StoredEvent stored, Throwable cause) {
        failing.remove(stored.id());
        counts.parked.incrementAndGet();
        LOG.warn(
                "The consumer {} failed again to handle {}, which stays in the table inbox_failure",
                settings.name(),
                stored.event(),
                cause);
    }
}
