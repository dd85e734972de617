package io.outboxrelay.relay.gate;

import io.outboxrelay.relay.gate.Judge.Evidence;
import io.outboxrelay.relay.gate.Judge.Verdict;
import io.outboxrelay.relay.gate.SchemaGate.GateMetrics;
import io.outboxrelay.relay.lane.Event;
import io.outboxrelay.relay.lane.Publisher;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** A lane's publisher behind the gate. All methods are called by the lane's thread. */
final class GatedPublisher implements Publisher {

    /** Bound of all waits between two flushes together: the broker's answers must not be delayed. */
    private static final Duration PATIENCE = Duration.ofMillis(250);

    /** Bound of events that wait for a lookup; a dropped one is only looked up once more. */
    private static final int MOST_SEEN = 10_000;

    private final Publisher inner;
    private final Lookups lookups;
    private final GateMetrics metrics;
    private final List<Answer> answers = new ArrayList<>();
    private long patience = PATIENCE.toNanos();

    /** When the first event since the last flush arrived; later ones had been read together with it. Null for none. */
    private @Nullable Long since;

    /** When the events that wait for a running lookup first arrived. */
    private final Map<UUID, Long> seen = new LinkedHashMap<>() {
        @Override
        protected boolean removeEldestEntry(Map.Entry<UUID, Long> eldest) {
            return size() > MOST_SEEN;
        }
    };

    GatedPublisher(Publisher inner, Lookups lookups, GateMetrics metrics) {
        this.inner = inner;
        this.lookups = lookups;
        this.metrics = metrics;
    }

    @Override
    public boolean ready() {
        return inner.ready();
    }

    @Override
    public void apart(boolean alone) {
        inner.apart(alone);
    }

    @Override
    public void publish(Event event) {
        Optional<Evidence> evidence = Evidence.of(event);
        Verdict verdict = evidence.isEmpty() ? Verdict.PASSED : verdict(event, evidence.get());
        if (evidence.isPresent()) {
            metrics.count(verdict);
        }
        if (verdict instanceof Verdict.Passed) {
            inner.publish(event);
        } else {
            answers.add(new Answer(event, Verdict.outcome(verdict)));
        }
    }

    private Verdict verdict(Event event, Evidence evidence) {
        long begun = System.nanoTime();
        if (since == null) {
            since = begun;
        }
        Long before = seen.isEmpty() ? null : seen.get(event.id());
        long read = before == null ? since : before;
        Verdict verdict = lookups.verdict(evidence, read, Duration.ofNanos(Math.max(0, patience)));
        if (!(verdict instanceof Verdict.Passed)) {
            patience -= System.nanoTime() - begun;
        }
        if (verdict instanceof Verdict.Waiting waiting && waiting.underWay()) {
            seen.put(event.id(), read);
        } else if (before != null) {
            seen.remove(event.id());
        }
        return verdict;
    }

    @Override
    public void flush() {
        patience = PATIENCE.toNanos();
        since = null;
        inner.flush();
    }

    @Override
    public List<Answer> answers(Duration atMost) throws InterruptedException {
        if (answers.isEmpty()) {
            return inner.answers(atMost);
        }
        List<Answer> all = new ArrayList<>(answers);
        answers.clear();
        all.addAll(inner.answers(Duration.ZERO));
        return all;
    }

    @Override
    public void forget(Event event) {
        if (!answers.removeIf(answer -> answer.event() == event)) {
            inner.forget(event);
        }
    }
}
