package io.outboxrelay.bench;

import io.outboxrelay.testservers.JavaProcess;
import java.io.IOException;
import java.io.PrintWriter;
import java.sql.Connection;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.function.ToDoubleFunction;
import java.util.stream.Stream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Measures whether a relay becomes slower or larger with the length of a backlog, or with dead rows in the outbox. */
@Command(
        name = "backlog",
        mixinStandardHelpOptions = true,
        description = {
            "Measures a relay that drains backlogs of different lengths, tenth by tenth, and one behind dead rows that an",
            "open transaction keeps in the table. A consumer empties the queue meanwhile.",
            "Starts its own servers unless you name others, and removes everything that it creates.",
            "Last lines: backlog events=N dead_rows=N last_tenth=R (MIN..MAX) rate=N resident_mb=N claim_ms=X.",
            "last_tenth is the rate of the last tenth divided by that of the first."
        },
        sortOptions = false)
final class BacklogCommand implements Callable<Integer> {

    private static final int LANES = 8;
    private static final int TENTHS = 10;
    private static final int AGGREGATES = 1_000;
    private static final int PAYLOAD_BYTES = 200;

    @Option(
            names = "--events",
            paramLabel = "N",
            split = ",",
            defaultValue = "100000,1000000",
            description = "Lengths of the backlogs, separated by commas. Default: ${DEFAULT-VALUE}")
    private List<Long> lengths = List.of();

    @Option(
            names = "--dead-rows",
            paramLabel = "N",
            defaultValue = "1000000",
            description = "Dead rows before the shortest backlog, in an additional run; 0 skips this run."
                    + " Default: ${DEFAULT-VALUE}")
    private long deadRows;

    @Option(
            names = "--rounds",
            paramLabel = "N",
            defaultValue = "3",
            description = "Runs with each backlog. Default: ${DEFAULT-VALUE}")
    private int rounds;

    @Option(
            names = "--timeout",
            paramLabel = "SECONDS",
            defaultValue = "1200",
            description = "Maximum time for the next tenth of a run. Default: ${DEFAULT-VALUE}")
    private long timeoutSeconds;

    @Mixin
    private final ServerOptions serverOptions = new ServerOptions();

    @Mixin
    private final RelayOptions relayOptions = new RelayOptions();

    @Mixin
    private final ReportOptions reportOptions = new ReportOptions();

    /** What is in the outbox when the relay starts. */
    private record Setting(long events, long deadRows) {

        @Override
        public String toString() {
            return "events=%d dead_rows=%d".formatted(events, deadRows);
        }
    }

    @Override
    public Integer call() throws Exception {
        relayOptions.find();
        PrintWriter out = new PrintWriter(System.out, true);
        LogFolder folder = LogFolder.create();
        int status;
        try (Servers servers = serverOptions.open();
                BenchOutbox outbox = new BenchOutbox(servers.dataSource(), LANES)) {
            BenchRelay relay = relayOptions.relay(servers, folder.path(), "");
            try (Report report = reportOptions.open(
                    servers, out, "events", "dead_rows", "round", "tenth", "rate", "resident_mb", "claim_ms")) {
                status = report.finish(measure(servers, outbox, relay, report, out));
            }
        }
        folder.delete();
        return status;
    }

    private List<String> measure(Servers servers, BenchOutbox outbox, BenchRelay relay, Report report, PrintWriter out)
            throws Exception {
        List<Setting> settings = settings();
        Map<Setting, List<Backlog>> runs = new LinkedHashMap<>();
        for (int round = 1; round <= rounds; round++) {
            // The order changes with the round.
            for (int turn = 0; turn < settings.size(); turn++) {
                Setting setting = settings.get((round + turn) % settings.size());
                Backlog backlog = run(setting, servers, outbox, relay, report);
                for (int tenth = 1; tenth <= TENTHS; tenth++) {
                    Backlog.Tenth one = backlog.tenths().get(tenth - 1);
                    report.row(
                            setting.events(),
                            setting.deadRows(),
                            round,
                            tenth,
                            one.rate(),
                            one.residentMegabytes(),
                            backlog.claimMilliseconds());
                }
                out.printf("  round %d, %s: %s%n", round, setting, backlog);
                runs.computeIfAbsent(setting, first -> new ArrayList<>()).add(backlog);
            }
        }
        return settings.stream()
                .map(setting -> line(setting, Objects.requireNonNull(runs.get(setting))))
                .toList();
    }

    private List<Setting> settings() {
        long shortest = lengths.stream().mapToLong(Long::longValue).min().orElseThrow();
        return Stream.concat(
                        lengths.stream().map(events -> new Setting(events, 0)),
                        Stream.of(new Setting(shortest, deadRows)).filter(setting -> deadRows > 0))
                .toList();
    }

    private Backlog run(Setting setting, Servers servers, BenchOutbox outbox, BenchRelay relay, Report report)
            throws Exception {
        try (Connection reader = servers.dataSource().getConnection()) {
            if (setting.deadRows() > 0) {
                outbox.fillBehind(setting.deadRows(), reader, setting.events(), AGGREGATES, PAYLOAD_BYTES);
            } else {
                outbox.fill(setting.events(), AGGREGATES, PAYLOAD_BYTES);
            }
            try (BenchQueue queue = new BenchQueue(servers.amqpUri(), QueueKind.CLASSIC);
                    Sink sink = new Sink(queue);
                    JavaProcess process = relay.start()) {
                Report.Stretch stretch = report.begin();
                List<Backlog.Tenth> tenths = watch(setting.events(), sink, process);
                stretch.end();
                double claim = relay.metrics().orElseThrow().average("outbox_relay_claim_seconds") * 1_000;
                relay.stop(process);
                return new Backlog(tenths, claim);
            }
        }
    }

    private List<Backlog.Tenth> watch(long events, Sink sink, JavaProcess process)
            throws IOException, InterruptedException {
        Duration timeout = Duration.ofSeconds(timeoutSeconds);
        sink.await(1, timeout, process);
        List<Backlog.Tenth> tenths = new ArrayList<>();
        long before = sink.received();
        long since = System.nanoTime();
        for (int tenth = 1; tenth <= TENTHS; tenth++) {
            sink.await(events * tenth / TENTHS, timeout, process);
            long received = sink.received();
            long now = System.nanoTime();
            tenths.add(new Backlog.Tenth(
                    (received - before) / ((now - since) / 1e9),
                    ProcessStatus.of(process.pid()).residentMegabytes()));
            before = received;
            since = now;
        }
        return tenths;
    }

    private static String line(Setting setting, List<Backlog> runs) {
        return "backlog %s last_tenth=%s rate=%s resident_mb=%s claim_ms=%s"
                .formatted(
                        setting,
                        spread(runs, Backlog::lastBesideFirst, "%.2f"),
                        spread(runs, Backlog::rate, "%.0f"),
                        spread(runs, Backlog::mostResidentMegabytes, "%.0f"),
                        spread(runs, Backlog::claimMilliseconds, "%.1f"));
    }

    private static String spread(List<Backlog> runs, ToDoubleFunction<Backlog> value, String format) {
        return Spread.of(runs.stream().mapToDouble(value).boxed().toList()).text(format);
    }
}
