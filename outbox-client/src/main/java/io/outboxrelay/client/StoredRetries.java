package io.outboxrelay.client;

import io.outboxrelay.client.Database.StoredEvent;
import io.outboxrelay.client.Effects.Failure;
import io.outboxrelay.client.Effects.Fault;
import io.outboxrelay.client.Effects.Result;
import java.time.Duration;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.BooleanSupplier;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Handles stored events that are due: those that a person retries, and those that waited behind them. While an
 * aggregate has one, workers handle none of its events, so nobody else is at it. Called by one thread; other instances
 * of the consumer do the same, and each locks what it handles.
 */
final class StoredRetries {

    private static final Logger LOG = LoggerFactory.getLogger(IdempotentConsumer.class);

    /** Handled in one turn, so that the turn ends. */
    private static final int MOST = 100;

    /** Between two looks for first events that nobody has moved up. */
    private static final long SWEEP = Duration.ofSeconds(5).toNanos();

    private final InboxEffects effects;
    private final InboxFailures failures;
    private final ConsumerSettings settings;
    private final ConsumerCounts counts;
    private final LongSupplier clock;
    private final FaultLog faults = new FaultLog(LOG);

    /** What events have met that nobody is to blame for; the table has the attempts that are spent. */
    private final Map<Long, Tries> failing = Tries.memory();

    /** Those whose attempt was counted, and has not ended by their own fault. */
    private final Set<Long> owed = new LinkedHashSet<>();

    private long sweepAt;

    StoredRetries(InboxEffects effects, ConsumerSettings settings, ConsumerCounts counts, LongSupplier clock) {
        this.effects = effects;
        this.failures = effects.failures();
        this.settings = settings;
        this.counts = counts;
        this.clock = clock;
        this.sweepAt = clock.getAsLong();
    }

    /**
     * Handles what is due.
     *
     * @param stopping whether it should not begin another one
     * @return the number of events that were handled
     * @throws RuntimeException if the database is away
     */
    int turn(BooleanSupplier stopping) {
        giveBack();
        long now = clock.getAsLong();
        if (now - sweepAt >= 0) {
            failures.moveUp();
            sweepAt = now + SWEEP;
        }
        int handled = 0;
        for (long id : failures.due(MOST)) {
            if (!stopping.getAsBoolean() && handle(id, stopping)) {
                handled++;
            }
        }
        giveBack();
        return handled;
    }

    /** What an outage of the database has left to do, the next turn does. */
    private void giveBack() {
        if (!owed.isEmpty()) {
            failures.giveBack(List.copyOf(owed));
            owed.clear();
        }
    }

    private boolean handle(long id, BooleanSupplier stopping) {
        Optional<StoredEvent> begun = failures.begin(id, mostEnds());
        if (begun.isEmpty()) {
            return false;
        }
        StoredEvent stored = begun.get();
        if (stored.attempts() >= mostEnds()) {
            parked(stored, new IllegalStateException("Its processes have ended during its attempts"));
            return false;
        }
        owed.add(id);
        Attempt attempt = effects.attempt();
        Result result = attempt.run(() -> failures.process(id, event -> attempt.handle(List.of(event.event())))
                .map(handled -> List.of(Fate.HANDLED))
                .orElse(List.of()));
        Optional<Failure> failure = result.failure();
        if (failure.isPresent()) {
            failed(stored, failure.get(), stopping.getAsBoolean());
            return false;
        }
        if (result.fates().isEmpty()) {
            return false;
        }
        owed.remove(id);
        failing.remove(id);
        counts.committed(result.fates());
        counts.done(stored.event(), Fate.HANDLED, result.nanos());
        Aggregate aggregate = Aggregate.of(stored.event());
        if (!aggregate.isNone()) {
            failures.moveUp(Set.of(aggregate));
        }
        return true;
    }

    /** One more than may fail: what a person retries may have all its attempts behind it. */
    private int mostEnds() {
        return settings.attempts() + 1;
    }

    /** A failure that nobody is to blame for spends no attempt as long as one of a delivered event would not. */
    private void failed(StoredEvent stored, Failure failure, boolean stopping) {
        if (stopping) {
            return;
        }
        Tries tries = failing.computeIfAbsent(stored.id(), id -> new Tries(settings));
        Fault fault = databaseAnswers() ? failure.fault() : Fault.DATABASE;
        tries.failed(fault, failure.cause(), clock.getAsLong());
        if (fault == Fault.CONTENTION) {
            counts.contentions.incrementAndGet();
        }
        boolean free = tries.lastWasFree();
        if (!free) {
            // If this cannot be written, what was counted stays counted.
            owed.remove(stored.id());
        }
        int attempts = stored.attempts() + (free ? 0 : 1);
        boolean parked = tries.rejected() || !free && attempts >= settings.attempts();
        Duration wait = free ? tries.untilNext() : settings.backoff().after(attempts);
        failures.failed(stored, attempts, parked ? null : wait, tries.rejected(), failure.cause());
        owed.remove(stored.id());
        if (parked) {
            parked(stored, failure.cause());
            return;
        }
        counts.retried.incrementAndGet();
        faults.fault(
                "The consumer " + settings.name() + " retries " + stored.event() + " from the table inbox_failure, with "
                        + attempts + " of " + settings.attempts() + " attempts spent",
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
