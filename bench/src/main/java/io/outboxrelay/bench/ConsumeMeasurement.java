package io.outboxrelay.bench;

import io.outboxrelay.bench.BenchEffects.Counts;
import io.outboxrelay.testservers.JavaProcess;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.TimeUnit;

/** Runs one consumer once, and watches from outside what it inserts. */
final class ConsumeMeasurement {

    private static final Duration BETWEEN_LOOKS = Duration.ofMillis(20);
    private static final Duration BETWEEN_LINES = Duration.ofSeconds(1);
    private static final Duration LONGEST_END = Duration.ofSeconds(30);

    /** Enough that a consumer never waits for the supply, and little enough that the queue stays small. */
    private static final long AHEAD = 20_000;

    private static final long PORTION = 1_000;

    private final Servers servers;
    private final BenchEffects effects;
    private final String javaOptions;
    private final Duration timeout;
    private final LogFolder folder;
    private final PrintWriter out;
    private int runs;

    /**
     * @param javaOptions of the consumers' JVMs, may be empty
     * @param timeout of one run
     * @param folder receives what the consumers print
     */
    ConsumeMeasurement(
            Servers servers,
            BenchEffects effects,
            String javaOptions,
            Duration timeout,
            LogFolder folder,
            PrintWriter out) {
        this.servers = servers;
        this.effects = effects;
        this.javaOptions = javaOptions;
        this.timeout = timeout;
        this.folder = folder;
        this.out = out;
    }

    /**
     * Fills the queue, starts the consumer and measures its rate.
     *
     * @throws IllegalStateException if the consumer ends early, takes longer than the timeout, or does not leave each
     *     event's effect once
     */
    ConsumeRun rate(ConsumeContender contender, Load load) throws IOException, SQLException, InterruptedException {
        try (BenchQueue queue = new BenchQueue(servers.amqpUri(), QueueKind.QUORUM);
                EventSupply supply = new EventSupply(queue, load)) {
            effects.clear();
            supply.publish(load.events());
            try (JavaProcess process = start(contender, 0)) {
                return run(contender, load, queue, supply, process, false);
            }
        }
    }

    /**
     * Starts the consumer and fills its queue while it consumes.
     *
     * @return the bytes of its heap that are in use after a full collection, at each tenth of the events
     * @throws IllegalStateException as {@link #rate}
     */
    List<Long> heap(ConsumeContender contender, Load load) throws IOException, SQLException, InterruptedException {
        try (BenchQueue queue = new BenchQueue(servers.amqpUri(), QueueKind.QUORUM);
                EventSupply supply = new EventSupply(queue, load)) {
            effects.clear();
            try (JavaProcess process = start(contender, load.events())) {
                out.println(run(contender, load, queue, supply, process, true).describe());
                return HeapLog.read(process.output());
            }
        }
    }

    private JavaProcess start(ConsumeContender contender, long heapEvents) throws IOException {
        Path output = folder.path().resolve("%s-%d.log".formatted(contender, ++runs));
        return ConsumeProgram.start(contender, servers, heapEvents, javaOptions, output);
    }

    private ConsumeRun run(
            ConsumeContender contender,
            Load load,
            BenchQueue queue,
            EventSupply supply,
            JavaProcess process,
            boolean readsHeap)
            throws IOException, SQLException, InterruptedException {
        Watched watched = watch(contender, load.events(), supply, process);
        if (readsHeap) {
            awaitLastReading(process);
        }
        process.terminate();
        if (process.waitFor(LONGEST_END).isEmpty()) {
            throw new IllegalStateException("%s did not stop within %d s; its output:%n%s"
                    .formatted(contender, LONGEST_END.toSeconds(), process.output()));
        }
        Counts counts = effects.counts();
        long left = queue.depth();
        if (!counts.areComplete(load.events()) || left > 0) {
            throw new IllegalStateException(
                    "%s had %d events, and left %s, and %d messages in the queue; its output:%n%s"
                            .formatted(contender, load.events(), counts, left, process.output()));
        }
        return new ConsumeRun(contender, load.events(), watched.time(), counts.outOfOrder(), watched.cpu());
    }

    /** The process collects its garbage when the last effect is there. */
    private static void awaitLastReading(JavaProcess process) throws InterruptedException {
        long began = System.nanoTime();
        while (!HeapLog.isComplete(process.output()) && System.nanoTime() - began < LONGEST_END.toNanos()) {
            TimeUnit.NANOSECONDS.sleep(BETWEEN_LOOKS.toNanos());
        }
    }

    private record Watched(Duration time, String cpu) {}

    private Watched watch(ConsumeContender contender, long events, EventSupply supply, JavaProcess process)
            throws IOException, SQLException, InterruptedException {
        long started = System.nanoTime();
        long line = started;
        long first = started;
        CpuTimes cpu = CpuTimes.now();
        while (true) {
            long now = System.nanoTime();
            long inserted = effects.inserted();
            if (inserted == 0) {
                first = now;
                cpu = CpuTimes.now();
            }
            if (inserted >= events && effects.committed() >= events) {
                Duration time = Duration.ofNanos(System.nanoTime() - first);
                double seconds = time.toNanos() / 1e9;
                return new Watched(
                        time, CpuTimes.now().since(cpu, contender.toString(), process.pid(), seconds, events));
            }
            check(contender, events, inserted, now - started, process);
            if (now - line >= BETWEEN_LINES.toNanos()) {
                line = now;
                out.printf(Locale.ROOT, "  %s: %,d of %,d%n", contender, inserted, events);
                out.flush();
            }
            if (!supply.isOver() && supply.published() - inserted < AHEAD) {
                supply.publish(PORTION);
            } else {
                TimeUnit.NANOSECONDS.sleep(BETWEEN_LOOKS.toNanos());
            }
        }
    }

    private void check(ConsumeContender contender, long events, long inserted, long nanos, JavaProcess process) {
        if (nanos > timeout.toNanos()) {
            throw new IllegalStateException("%s inserted only %d of %d effects in %d s; its output:%n%s"
                    .formatted(contender, inserted, events, timeout.toSeconds(), process.output()));
        }
        if (!process.isAlive()) {
            throw new IllegalStateException("%s ended after %d of %d effects; its output:%n%s"
                    .formatted(contender, inserted, events, process.output()));
        }
    }
}
