package io.outboxrelay.bench;

import io.outboxrelay.schema.OutboxSchema;
import io.outboxrelay.testservers.JavaProcess;
import java.io.PrintWriter;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Measures what each further source costs a relay, and whether a dead source slows the others down. */
@Command(
        name = "sources",
        mixinStandardHelpOptions = true,
        description = {
            "Measures a relay with different numbers of idle sources: memory, threads, connections and processor time.",
            "Then measures how fast it drains one source beside another one that is healthy, and one that is dead.",
            "Each source is a schema of the same database.",
            "Starts its own servers unless you name others, and removes everything that it creates.",
            "Last lines: sources count=N resident_mb=N threads=N connections=N relay_percent=X, with the last measurement",
            "of each number, and sources dead=R (MIN..MAX), the rate beside a dead source divided by that beside a",
            "healthy one."
        },
        sortOptions = false)
final class SourcesCommand implements Callable<Integer> {

    private static final int LANES = 8;
    private static final int AGGREGATES = 1_000;
    private static final int PAYLOAD_BYTES = 200;
    private static final Duration LONGEST_DRAIN = Duration.ofMinutes(5);

    @Option(
            names = "--counts",
            paramLabel = "N",
            split = ",",
            defaultValue = "1,10,50",
            description = "Numbers of sources, separated by commas. Default: ${DEFAULT-VALUE}")
    private List<Integer> counts = List.of();

    @Option(
            names = "--settle",
            paramLabel = "S",
            defaultValue = "20",
            description = "Time from the start of a relay until it is measured. Default: ${DEFAULT-VALUE}")
    private double settleSeconds;

    @Option(
            names = "--seconds",
            paramLabel = "S",
            defaultValue = "30",
            description = "Measured time of each number of sources. Default: ${DEFAULT-VALUE}")
    private double seconds;

    @Option(
            names = "--events",
            paramLabel = "N",
            defaultValue = "100000",
            description = "Events to drain beside another source. Default: ${DEFAULT-VALUE}")
    private long events;

    @Option(
            names = "--rounds",
            paramLabel = "N",
            defaultValue = "3",
            description = "Drains beside each. Default: ${DEFAULT-VALUE}")
    private int rounds;

    @Mixin
    private final ServerOptions serverOptions = new ServerOptions();

    @Mixin
    private final RelayOptions relayOptions = new RelayOptions();

    @Mixin
    private final ReportOptions reportOptions = new ReportOptions();

    @Override
    public Integer call() throws Exception {
        relayOptions.find();
        PrintWriter out = new PrintWriter(System.out, true);
        LogFolder folder = LogFolder.create();
        int most = Math.max(2, counts.stream().mapToInt(Integer::intValue).max().orElse(2));
        int status;
        try (Servers servers = serverOptions.open();
                BenchOutbox outbox = new BenchOutbox(servers.dataSource(), LANES);
                Report report = startBroker(servers, out)) {
            try {
                for (int source = 2; source <= most; source++) {
                    OutboxSchema.defaults()
                            .withSchema(schema(source))
                            .withLanes(LANES)
                            .installOn(servers.dataSource());
                }
                List<String> results = new ArrayList<>();
                for (int count : counts) {
                    results.add(idle(count, servers, folder.path(), report));
                    out.println("  " + results.get(results.size() - 1));
                }
                results.add(beside(servers, outbox, folder.path(), report, out));
                status = report.finish(results);
            } finally {
                drop(servers, most);
            }
        }
        folder.delete();
        return status;
    }

    private Report startBroker(Servers servers, PrintWriter out) throws Exception {
        servers.amqpUri();
        return reportOptions.open(
                servers, out, "what", "round", "resident_mb", "threads", "connections", "relay_percent", "rate");
    }

    private String idle(int count, Servers servers, Path folder, Report report) throws Exception {
        BenchRelay relay =
                relayOptions.relay(servers, folder.resolve(Integer.toString(count)), healthy(servers, count));
        try (JavaProcess process = relay.startReady()) {
            TimeUnit.NANOSECONDS.sleep(Math.round(settleSeconds * 1e9));
            Report.Stretch stretch = report.begin();
            TimeUnit.NANOSECONDS.sleep(Math.round(seconds * 1e9));
            Report.CpuShares cpu = stretch.end();
            ProcessStatus status = ProcessStatus.of(process.pid());
            double percent = 100 * cpu.after().used(cpu.before(), process.pid()) / cpu.seconds();
            long connections = connections(servers);
            relay.stop(process);
            report.row("idle-" + count, 1, status.residentMegabytes(), status.threads(), connections, percent, 0);
            return String.format(
                    Locale.ROOT,
                    "sources count=%d resident_mb=%.0f threads=%d connections=%d relay_percent=%.2f",
                    count,
                    status.residentMegabytes(),
                    status.threads(),
                    connections,
                    percent);
        }
    }

    private String beside(Servers servers, BenchOutbox outbox, Path folder, Report report, PrintWriter out)
            throws Exception {
        BenchRelay healthy = relayOptions.relay(servers, folder.resolve("beside-healthy"), healthy(servers, 2));
        BenchRelay dead = relayOptions.relay(
                servers,
                folder.resolve("beside-dead"),
                List.of(
                        healthy(servers, 1).get(0),
                        new BenchRelay.Source(
                                "dead", "jdbc:postgresql://127.0.0.1:" + closedPort() + "/dead", "public", "")));
        List<Double> ratios = new ArrayList<>();
        for (int round = 1; round <= rounds; round++) {
            double besideHealthy = drain(healthy, servers, outbox, report);
            double besideDead = drain(dead, servers, outbox, report);
            report.row("beside-healthy", round, 0, 0, 0, 0, besideHealthy);
            report.row("beside-dead", round, 0, 0, 0, 0, besideDead);
            out.printf(
                    Locale.ROOT,
                    "  round %d, beside a healthy source: %,.0f/s, beside a dead one: %,.0f/s%n",
                    round,
                    besideHealthy,
                    besideDead);
            ratios.add(besideDead / besideHealthy);
        }
        return "sources dead=" + Spread.of(ratios).text("%.2f");
    }

    private double drain(BenchRelay relay, Servers servers, BenchOutbox outbox, Report report) throws Exception {
        outbox.fill(events, AGGREGATES, PAYLOAD_BYTES);
        try (BenchQueue queue = new BenchQueue(servers.amqpUri(), QueueKind.CLASSIC);
                Sink sink = new Sink(queue);
                JavaProcess process = relay.start()) {
            Report.Stretch stretch = report.begin();
            sink.await(1, LONGEST_DRAIN, process);
            long before = sink.received();
            long began = System.nanoTime();
            sink.await(events, LONGEST_DRAIN, process);
            double rate = (events - before) / ((System.nanoTime() - began) / 1e9);
            stretch.end();
            relay.stop(process);
            return rate;
        }
    }

    private static List<BenchRelay.Source> healthy(Servers servers, int count) {
        return IntStream.rangeClosed(1, count)
                .mapToObj(number -> new BenchRelay.Source("source-" + number, servers.jdbcUrl(), schema(number), ""))
                .toList();
    }

    private static String schema(int source) {
        return source == 1 ? BenchOutbox.SCHEMA : BenchOutbox.SCHEMA + "_" + source;
    }

    /** Of the whole database but for the one that asks and that of the measurement itself. */
    private static long connections(Servers servers) throws SQLException {
        try (Connection connection = servers.dataSource().getConnection();
                Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery(
                        "SELECT count(*) - 2 FROM pg_stat_activity WHERE datname = current_database()")) {
            row.next();
            return row.getLong(1);
        }
    }

    private static int closedPort() throws Exception {
        try (ServerSocket free = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return free.getLocalPort();
        }
    }

    private static void drop(Servers servers, int most) throws SQLException {
        try (Connection connection = servers.dataSource().getConnection();
                Statement statement = connection.createStatement()) {
            for (int source = 2; source <= most; source++) {
                statement.execute("DROP SCHEMA IF EXISTS " + schema(source) + " CASCADE");
            }
        }
    }
}
