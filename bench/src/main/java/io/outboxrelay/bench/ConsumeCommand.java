package io.outboxrelay.bench;

import java.io.PrintWriter;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** Measures how fast consumers handle the events of a full quorum queue. */
@Command(
        name = "consume",
        mixinStandardHelpOptions = true,
        description = {
            "Measures how fast consumers handle events from a full quorum queue, each with an inbox and one INSERT:",
            "this project's with different settings, a hand-written loop, and Spring AMQP's listener container.",
            "Starts its own servers unless you name others, and removes everything that it creates.",
            "Last line: consume ratio one-by-one=R loop=R spring-batch=R out_of_order=N,",
            "the rate with default settings divided by those of outbox-1x1, loop-100 and the faster spring-batch,",
            "medians of the rounds.",
            "With --memory, measures the heap instead. Last line: consume memory flat=yes|no ..."
        },
        sortOptions = false)
final class ConsumeCommand implements Callable<Integer> {

    private static final int LEAST_PAYLOAD = Long.BYTES;

    @Option(
            names = "--events",
            paramLabel = "N",
            defaultValue = "100000",
            description = {
                "Events per run. Default: ${DEFAULT-VALUE}.",
                "A contender that commits each event alone gets a fifth, so that all runs take about as long."
            })
    private long events;

    @Option(
            names = "--aggregates",
            paramLabel = "N",
            defaultValue = "500",
            description = "Number of aggregates. Default: ${DEFAULT-VALUE}")
    private int aggregates;

    @Option(
            names = "--payload-bytes",
            paramLabel = "N",
            defaultValue = "200",
            description = "Size of an event's payload, at least 8. Default: ${DEFAULT-VALUE}")
    private int payloadBytes;

    @Option(
            names = "--rounds",
            paramLabel = "N",
            defaultValue = "3",
            description = "Runs of each contender. Default: ${DEFAULT-VALUE}")
    private int rounds;

    @Option(
            names = "--contenders",
            paramLabel = "NAME",
            split = ",",
            converter = ConsumeContender.Named.class,
            completionCandidates = ConsumeContender.Words.class,
            description = {
                "Only these, separated by commas: ${COMPLETION-CANDIDATES}.",
                "Default: all; with --memory only outbox."
            })
    private @Nullable List<ConsumeContender> contenders;

    @Option(
            names = "--memory",
            description = "Measure the heap after a full collection at each tenth of the events instead, once for each"
                    + " contender. The queue is filled meanwhile.")
    private boolean memory;

    @Option(
            names = "--timeout",
            paramLabel = "SECONDS",
            description = "Maximum duration of one run. Default: 300; with --memory 3600.")
    private @Nullable Long timeoutSeconds;

    @Option(
            names = "--java-options",
            paramLabel = "OPTIONS",
            defaultValue = "",
            description = "Options for the consumers' JVMs. Default: none.")
    private String javaOptions = "";

    @Mixin
    private final ServerOptions serverOptions = new ServerOptions();

    @Mixin
    private final ReportOptions reportOptions = new ReportOptions();

    @Spec
    private @Nullable CommandSpec spec;

    @Override
    public Integer call() throws Exception {
        check();
        PrintWriter out = new PrintWriter(System.out, true);
        LogFolder folder = LogFolder.create();
        boolean good;
        try (Servers servers = serverOptions.open();
                BenchEffects effects = new BenchEffects(servers.dataSource())) {
            out.printf(
                    Locale.ROOT,
                    "%,d events of %d bytes, %d aggregates, %s, %s%n",
                    events,
                    payloadBytes,
                    aggregates,
                    servers.names(),
                    effects.durability());
            ConsumeMeasurement measurement =
                    new ConsumeMeasurement(servers, effects, javaOptions, timeout(), folder, out);
            good = memory ? heaps(measurement, servers, out) : rates(measurement, servers, out);
        }
        folder.delete();
        return good ? 0 : 1;
    }

    private boolean rates(ConsumeMeasurement measurement, Servers servers, PrintWriter out) throws Exception {
        List<ConsumeContender> chosen = contenders == null ? List.of(ConsumeContender.values()) : contenders;
        ConsumeTable table = new ConsumeTable();
        try (Report report = reportOptions.open(
                servers, out, "contender", "round", "events", "seconds", "rate", "out_of_order", "others")) {
            for (int round = 0; round < rounds; round++) {
                // The order changes with the round.
                for (int turn = 0; turn < chosen.size(); turn++) {
                    ConsumeContender contender = chosen.get((round + turn) % chosen.size());
                    Report.Stretch stretch = report.begin();
                    ConsumeRun run = measurement.rate(contender, load(contender.share(events)));
                    double others = stretch.end().others();
                    table.add(run);
                    report.row(contender, round + 1, run.events(), run.seconds(), run.rate(), run.outOfOrder(), others);
                    out.println(run.describe());
                }
            }
            return report.finish(table.results()) == 0 && table.oursOutOfOrder() == 0;
        }
    }

    private boolean heaps(ConsumeMeasurement measurement, Servers servers, PrintWriter out) throws Exception {
        List<ConsumeContender> chosen = contenders == null ? List.of(ConsumeContender.OUTBOX) : contenders;
        boolean flat = true;
        try (Report report = reportOptions.open(servers, out, "contender", "tenth", "heap_bytes")) {
            for (ConsumeContender contender : chosen) {
                List<Long> sizes = measurement.heap(contender, load(events));
                for (int tenth = 1; tenth <= sizes.size(); tenth++) {
                    report.row(contender, tenth, sizes.get(tenth - 1));
                }
                HeapCurve heap = new HeapCurve(sizes);
                out.printf("%s: heap in use after a collection, at each tenth: %s%n", contender, heap);
                out.println("consume memory %s contender=%s".formatted(heap.verdict(), contender));
                flat &= heap.isFlat();
            }
        }
        return flat;
    }

    private Load load(long count) {
        return new Load(count, aggregates, payloadBytes);
    }

    private Duration timeout() {
        if (timeoutSeconds != null) {
            return Duration.ofSeconds(timeoutSeconds);
        }
        return memory ? Duration.ofHours(1) : Duration.ofMinutes(5);
    }

    private void check() {
        if (events < 10 || aggregates < 1 || rounds < 1 || payloadBytes < LEAST_PAYLOAD) {
            String problem =
                    "--events must be at least 10, --aggregates and --rounds at least 1, --payload-bytes at least "
                            + LEAST_PAYLOAD;
            throw spec == null
                    ? new IllegalStateException(problem)
                    : new ParameterException(spec.commandLine(), problem);
        }
    }
}
