package io.outboxrelay.relay.gate;

import io.outboxrelay.relay.gate.Judge.Evidence;
import io.outboxrelay.relay.gate.Judge.Verdict;
import io.outboxrelay.relay.lane.Help;
import io.outboxrelay.relay.lane.LogKeys;
import io.outboxrelay.relay.lane.Outcome.Reason;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Known verdicts, and lookups of the others. Called by all lanes of a source. */
final class Lookups implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(Lookups.class);

    /** A registry gets at most this many requests at a time. */
    private static final int THREADS = 2;

    /** Bound of waiting lookups: no honest source has more different schemas at once. */
    private static final int MOST_WAITING = 1_000;

    /**
     * Bound of running lookups and of verdicts against events; beyond it the latter are dropped and looked up again.
     */
    private static final int MOST_LOOKUPS = 2 * MOST_WAITING;

    /** More than a source has versions; beyond it one is dropped and looked up again. */
    private static final int MOST_PASSED = 10_000;

    private static final Duration BETWEEN_REPORTS = Duration.ofMinutes(1);

    private final String source;
    private final Judge judge;
    private final AtomicLong reportedAt = new AtomicLong(System.nanoTime() - BETWEEN_REPORTS.toNanos());
    private final Map<Evidence, Verdict> passed = new ConcurrentHashMap<>();
    private final Map<Evidence, Lookup> lookups = new ConcurrentHashMap<>();
    private final ThreadPoolExecutor threads;
    private volatile @Nullable String away;

    /** One lookup; {@code begun} is no later than the moment at which the registry was asked. */
    private record Lookup(long begun, CompletableFuture<Verdict> verdict) {}

    Lookups(String source, Judge judge) {
        this.source = source;
        this.judge = judge;
        AtomicInteger number = new AtomicInteger();
        this.threads = new ThreadPoolExecutor(
                THREADS, THREADS, 0, TimeUnit.SECONDS, new LinkedBlockingQueue<>(MOST_WAITING), task -> {
                    Thread thread = new Thread(task, source + "-schemas-" + number.incrementAndGet());
                    thread.setDaemon(true);
                    return thread;
                });
    }

    /**
     * Judges.
     *
     * @param evidence of an event
     * @param since when the event had been read, by {@link System#nanoTime()}: a verdict against it must be younger
     * @param atMost longest wait
     * @return the verdict; {@link Verdict.Waiting} if there is none in time
     */
    Verdict verdict(Evidence evidence, long since, Duration atMost) {
        Verdict known = passed.get(evidence);
        if (known != null) {
            return known;
        }
        String absent = away;
        if (absent != null) {
            return new Verdict.Waiting(absent, false);
        }
        try {
            Lookup lookup = lookups.compute(
                    evidence,
                    (same, before) -> before != null && before.begun() - since >= 0 ? before : begin(evidence));
            return lookup.verdict().get(atMost.toNanos(), TimeUnit.NANOSECONDS);
        } catch (TimeoutException e) {
            return new Verdict.Waiting("its schema is being looked up", true);
        } catch (RejectedExecutionException e) {
            return new Verdict.Waiting("its schema is being looked up after others", false);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return new Verdict.Waiting("interrupted while its schema was looked up", false);
        } catch (ExecutionException e) {
            return new Verdict.Waiting(String.valueOf(e.getCause()), false);
        }
    }

    /** {@return why schemas cannot be looked up; null if they can} */
    @Nullable
    String away() {
        return away;
    }

    /** Sets why schemas cannot be looked up; null if they can. */
    void away(@Nullable String reason) {
        away = reason;
    }

    private Lookup begin(Evidence evidence) {
        Lookup lookup = new Lookup(System.nanoTime(), new CompletableFuture<>());
        threads.execute(() -> look(evidence, lookup));
        return lookup;
    }

    private void look(Evidence evidence, Lookup lookup) {
        Verdict verdict;
        try {
            verdict = judge.judge(evidence);
            if (verdict instanceof Verdict.Passed) {
                pass(evidence);
            }
        } catch (RuntimeException e) {
            verdict = new Verdict.Waiting(failed(e), false);
        } catch (Throwable e) {
            end(evidence, lookup, new Verdict.Waiting("looking up its schema failed: " + e, false));
            throw e;
        }
        end(evidence, lookup, verdict);
    }

    /** A verdict against events stays for those that had been read before the lookup and arrive later. */
    private void end(Evidence evidence, Lookup lookup, Verdict verdict) {
        lookup.verdict().complete(verdict);
        if (verdict instanceof Verdict.Passed) {
            lookups.remove(evidence, lookup);
        } else if (lookups.size() > MOST_LOOKUPS) {
            lookups.values().removeIf(other -> other.verdict().isDone());
        }
    }

    /** A failure that concerns one schema only does not make the registry unreachable for the others. */
    private String failed(RuntimeException failure) {
        String reason = failure.getMessage() == null ? failure.toString() : failure.getMessage();
        if (judge.away(failure)) {
            away = reason;
        } else {
            report(reason);
        }
        return reason;
    }

    private void report(String reason) {
        long now = System.nanoTime();
        long before = reportedAt.get();
        if (now - before >= BETWEEN_REPORTS.toNanos() && reportedAt.compareAndSet(before, now)) {
            LOG.atWarn()
                    .addMarker(Help.about(Reason.SCHEMA_UNCHECKED))
                    .addKeyValue(LogKeys.SOURCE, source)
                    .log("Source {}: a schema cannot be looked up, its events wait: {}", source, reason);
        }
    }

    private void pass(Evidence evidence) {
        while (passed.size() >= MOST_PASSED) {
            passed.keySet().stream().findAny().ifPresent(passed::remove);
        }
        passed.put(evidence, Verdict.PASSED);
    }

    @Override
    public void close() {
        threads.shutdownNow();
    }
}
