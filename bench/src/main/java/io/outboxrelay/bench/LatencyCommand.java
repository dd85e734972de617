package io.outboxrelay.bench;

import io.outboxrelay.testservers.DatabaseKind;
import io.outboxrelay.testservers.JavaProcess;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Measures how long an event takes from the service's commit to a consumer. */
@Command(
        name = "latency",
        mixinStandardHelpOptions = true,
        description = {
            "Measures the time from the commit of an event to its receipt by a consumer, at several rates.",
            "Starts its own servers unless you name others, and removes everything that it creates.",
            "Last lines: latency wakeup=NAME rate=N p50_ms=X (MIN..MAX) p99_ms=X max_ms=X, medians of the rounds."
        },
        sortOptions = false)
final class LatencyCommand implements Callable<Integer> {

    private static final int LANES = 8;

    @Option(
            names = "--database",
            paramLabel = "KIND",
            defaultValue = "postgresql",
            description = "The database to start: postgresql, mariadb or mysql. Default: ${DEFAULT-VALUE}")
    private DatabaseKind kind = DatabaseKind.POSTGRESQL;

    @Option(
            names = "--rates",
            paramLabel = "N",
            split = ",",
            defaultValue = "100,1000",
            description = "Events a second, separated by commas. Default: ${DEFAULT-VALUE}")
    private List<Integer> rates = List.of();

    @Option(
            names = "--rounds",
            paramLabel = "N",
            defaultValue = "3",
            description = "Runs at each rate with each value of wakeup. Default: ${DEFAULT-VALUE}")
    private int rounds;

    @Option(
            names = "--warm-up",
            paramLabel = "S",
            defaultValue = "5",
            description = "Time of each run before that which is measured, at the same rate. Default: ${DEFAULT-VALUE}")
    private double warmUpSeconds;

    @Option(
            names = "--seconds",
            paramLabel = "S",
            defaultValue = "10",
            description = "Measured time of each run. Default: ${DEFAULT-VALUE}")
    private double seconds;

    @Option(
            names = "--payload-bytes",
            paramLabel = "N",
            defaultValue = "200",
            description = "Size of an event's payload. Default: ${DEFAULT-VALUE}")
    private int payloadBytes;

    @Mixin
    private final ServerOptions serverOptions = new ServerOptions();

    @Mixin
    private final RelayOptions relayOptions = new RelayOptions();

    @Mixin
    private final ReportOptions reportOptions = new ReportOptions();

    /** A value of {@code wakeup} and a rate. */
    private record Setting(String wakeup, int rate) {

        @Override
        public String toString() {
            return "wakeup=%s rate=%d".formatted(wakeup, rate);
        }
    }

    @Override
    public Integer call() throws Exception {
        relayOptions.find();
        PrintWriter out = new PrintWriter(System.out, true);
        LogFolder folder = LogFolder.create();
        int status;
        try (Servers servers = serverOptions.open(kind);
                BenchOutbox outbox = new BenchOutbox(servers.dataSource(), LANES)) {
            Map<String, BenchRelay> relays =
                    relayOptions.byWakeup(RelayOptions.wakeups(servers.kind()), servers, folder.path());
            try (Report report = reportOptions.open(servers, out, "wakeup", "rate", "round", "milliseconds")) {
                status = report.finish(measure(servers, outbox, relays, report, out));
            }
        }
        folder.delete();
        return status;
    }

    private List<String> measure(
            Servers servers, BenchOutbox outbox, Map<String, BenchRelay> relays, Report report, PrintWriter out)
            throws Exception {
        List<Setting> settings = rates.stream()
                .flatMap(rate -> relays.keySet().stream().map(wakeup -> new Setting(wakeup, rate)))
                .toList();
        Map<Setting, List<Latencies>> runs = new LinkedHashMap<>();
        for (int round = 1; round <= rounds; round++) {
            // The order changes with the round.
            for (int turn = 0; turn < settings.size(); turn++) {
                Setting setting = settings.get((round + turn) % settings.size());
                outbox.reset(setting.wakeup().equals("notify"));
                Latencies latencies =
                        run(setting, servers, Objects.requireNonNull(relays.get(setting.wakeup())), report);
                for (double milliseconds : latencies.sorted()) {
                    report.row(setting.wakeup(), setting.rate(), round, milliseconds);
                }
                out.printf("  round %d, %s: %s%n", round, setting, latencies);
                runs.computeIfAbsent(setting, first -> new ArrayList<>()).add(latencies);
            }
        }
        return settings.stream()
                .map(setting -> line(setting, Objects.requireNonNull(runs.get(setting))))
                .toList();
    }

    private Latencies run(Setting setting, Servers servers, BenchRelay relay, Report report) throws Exception {
        int warmUp = (int) Math.round(setting.rate() * warmUpSeconds);
        int events = warmUp + (int) Math.ceil(setting.rate() * seconds);
        try (BenchQueue queue = new BenchQueue(servers.amqpUri(), QueueKind.QUORUM);
                JavaProcess process = relay.startReady();
                Receipts receipts = new Receipts(queue, events)) {
            Report.Stretch stretch = report.begin();
            Latencies latencies = receipts.latencies(
                    () -> new PacedWriters(servers, setting.rate(), events, new Load(events, 1_000, payloadBytes)),
                    warmUp);
            stretch.end();
            relay.stop(process);
            return latencies;
        }
    }

    private static String line(Setting setting, List<Latencies> runs) {
        return "latency %s p50_ms=%s p99_ms=%s max_ms=%s"
                .formatted(
                        setting,
                        Latencies.quantiles(runs, 0.5).text("%.1f"),
                        Latencies.quantiles(runs, 0.99).text("%.1f"),
                        Latencies.quantiles(runs, 1).text("%.1f"));
    }
}
