package io.outboxrelay.relay.gate;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.outboxrelay.relay.lane.Reason;

/** Counts verdicts, for all lanes of one source. Thread-safe. */
final class GateMetrics {

    private final Counter passed;
    private final Counter unknown;
    private final Counter incompatible;
    private final Counter waiting;

    GateMetrics(String source, MeterRegistry meters) {
        this.passed = counter(source, "passed", meters);
        this.unknown = counter(source, "unknown", meters);
        this.incompatible = counter(source, "incompatible", meters);
        this.waiting = counter(source, "waiting", meters);
    }

    private static Counter counter(String source, String verdict, MeterRegistry meters) {
        return Counter.builder("outbox_relay_schema_verdicts")
                .description("What the gate said about the schemas of events, each time that one came to it")
                .tag("source", source)
                .tag("verdict", verdict)
                .register(meters);
    }

    void count(Verdict verdict) {
        if (verdict instanceof Verdict.Passed) {
            passed.increment();
        } else if (verdict instanceof Verdict.Waiting) {
            waiting.increment();
        } else if (verdict instanceof Verdict.Refused refused) {
            (refused.reason() == Reason.SCHEMA_INCOMPATIBLE ? incompatible : unknown).increment();
        }
    }
}
