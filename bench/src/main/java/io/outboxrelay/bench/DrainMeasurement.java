package io.outboxrelay.bench;

import io.outboxrelay.testservers.JavaProcess;
import java.io.IOException;
import java.io.PrintWriter;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Locale;
import java.util.concurrent.TimeUnit;

/** Runs one contender once and watches the queue from outside. */
final class DrainMeasurement {

    /** Often enough for a hundredth of a run of seconds; each measurement costs the broker one small request. */
    private static final Duration BETWEEN_LOOKS = Duration.ofMillis(20);

    private static final Duration BETWEEN_LINES = Duration.ofSeconds(1);

    private final String amqpUri;
    private final long events;
    private final Duration timeout;
    private final PrintWriter out;

    DrainMeasurement(String amqpUri, long events, Duration timeout, PrintWriter out) {
        this.amqpUri = amqpUri;
        this.events = events;
        this.timeout = timeout;
        this.out = out;
    }

    /**
     * Measures.
     *
     * @throws IllegalStateException if the contender ends early, takes longer than the timeout, or publishes more or
     *     less than the events
     */
    Drain run(Contender contender, QueueKind kind) throws IOException, SQLException, InterruptedException {
        try (BenchQueue queue = new BenchQueue(amqpUri, kind)) {
            contender.prepare(events);
            long started = System.nanoTime();
            try (JavaProcess process = contender.start(events)) {
                Drain drain = watch(contender, kind, queue, process, started);
                contender.stop(process);
                long arrived = queue.depth();
                if (arrived != events) {
                    throw new IllegalStateException("%s left %d messages in the %s queue instead of %d"
                            .formatted(contender.name(), arrived, kind, events));
                }
                return drain;
            }
        }
    }

    private Drain watch(Contender contender, QueueKind kind, BenchQueue queue, JavaProcess process, long started)
            throws IOException, SQLException, InterruptedException {
        long before = 0;
        long first = started;
        CpuTimes cpuBefore = CpuTimes.now();
        CpuTimes cpu = cpuBefore;
        long line = started;
        while (true) {
            long depth = queue.depth();
            long now = System.nanoTime();
            if (before == 0 && depth > 0) {
                before = depth;
                first = now;
                cpuBefore = CpuTimes.now();
                cpu = cpuBefore;
            }
            if (depth >= events && contender.isDone()) {
                // One that is gone already has used what it had used at the last line.
                cpu = process.isAlive() ? CpuTimes.now() : cpu;
                Duration drain = Duration.ofNanos(System.nanoTime() - first);
                return new Drain(
                        contender.name(),
                        kind,
                        depth,
                        depth - before,
                        drain,
                        Duration.ofNanos(System.nanoTime() - started),
                        cpu.since(cpuBefore, contender.name(), process.pid(), drain.toNanos() / 1e9, depth - before),
                        contender.remarks(drain));
            }
            check(contender, process, depth, now - started);
            if (now - line >= BETWEEN_LINES.toNanos()) {
                line = now;
                cpu = process.isAlive() ? CpuTimes.now() : cpu;
                out.printf(Locale.ROOT, "  %s %s: %,d of %,d%n", kind, contender.name(), depth, events);
                out.flush();
            }
            TimeUnit.NANOSECONDS.sleep(BETWEEN_LOOKS.toNanos());
        }
    }

    private void check(Contender contender, JavaProcess process, long depth, long nanos) {
        if (nanos > timeout.toNanos()) {
            throw new IllegalStateException("%s published only %d of %d events in %d s; its output:%n%s"
                    .formatted(contender.name(), depth, events, timeout.toSeconds(), process.output()));
        }
        if (!process.isAlive() && depth < events) {
            throw new IllegalStateException("%s ended with %d of %d events in the queue; its output:%n%s"
                    .formatted(contender.name(), depth, events, process.output()));
        }
    }
}
