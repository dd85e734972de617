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
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Measures what a relay costs while nothing happens. */
@Command(
        name = "idle",
        mixinStandardHelpOptions = true,
        description = {
            "Measures a relay whose source has no events: processor time of relay and database as shares of one core,",
            "the database's transactions a second, and the relay's resident memory.",
            "Starts its own servers unless you name others, and removes everything that it creates.",
            "Last lines: idle wakeup=NAME relay_percent=X (MIN..MAX) database_percent=X transactions_per_second=X",
            "resident_mb=X. With wakeup=off there is no relay."
        },
        sortOptions = false)
final class IdleCommand implements Callable<Integer> {

    /** There is no relay, so that what the database does by itself is known. */
    private static final String OFF = "off";

    private static final int LANES = 8;

    @Option(
            names = "--database",
            paramLabel = "KIND",
            defaultValue = "postgresql",
            description = "The database to start: postgresql, mariadb or mysql. Default: ${DEFAULT-VALUE}")
    private DatabaseKind kind = DatabaseKind.POSTGRESQL;

    @Option(
            names = "--rounds",
            paramLabel = "N",
            defaultValue = "3",
            description = "Runs with each value of wakeup. Default: ${DEFAULT-VALUE}")
    private int rounds;

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
            description = "Measured time of each run. Default: ${DEFAULT-VALUE}")
    private double seconds;

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
        int status;
        try (Servers servers = serverOptions.open(kind);
                BenchOutbox outbox = new BenchOutbox(servers.dataSource(), LANES)) {
            Map<String, BenchRelay> relays =
                    relayOptions.byWakeup(RelayOptions.wakeups(servers.kind()), servers, folder.path());
            try (BenchQueue queue = new BenchQueue(servers.amqpUri(), QueueKind.QUORUM);
                    Report report = reportOptions.open(servers, out, Idle.COLUMNS)) {
                List<String> results = measure(servers, outbox, relays, report, out);
                if (queue.depth() > 0) {
                    throw new IllegalStateException("Somebody has published to the queue of the measurement");
                }
                status = report.finish(results);
            }
        }
        folder.delete();
        return status;
    }

    private List<String> measure(
            Servers servers, BenchOutbox outbox, Map<String, BenchRelay> relays, Report report, PrintWriter out)
            throws Exception {
        Map<String, List<Idle>> runs = new LinkedHashMap<>();
        List<String> turns = new ArrayList<>(relays.keySet());
        turns.add(OFF);
        for (int round = 1; round <= rounds; round++) {
            // The order changes with the round.
            for (int turn = 0; turn < turns.size(); turn++) {
                String wakeup = turns.get((round + turn) % turns.size());
                outbox.reset(wakeup.equals("notify"));
                Idle idle = run(relays.get(wakeup), servers, report);
                idle.row(report, wakeup, round);
                out.printf("  round %d, %s: %s%n", round, wakeup, idle);
                runs.computeIfAbsent(wakeup, first -> new ArrayList<>()).add(idle);
            }
        }
        return runs.keySet().stream()
                .map(wakeup -> Idle.line(wakeup, Objects.requireNonNull(runs.get(wakeup))))
                .toList();
    }

    private Idle run(@Nullable BenchRelay relay, Servers servers, Report report) throws Exception {
        if (relay == null) {
            return watch(null, servers, report);
        }
        try (JavaProcess process = relay.startReady()) {
            Idle idle = watch(process, servers, report);
            relay.stop(process);
            return idle;
        }
    }

    private Idle watch(@Nullable JavaProcess relay, Servers servers, Report report) throws Exception {
        try (DatabaseTransactions transactions = new DatabaseTransactions(servers)) {
            TimeUnit.NANOSECONDS.sleep(Math.round(settleSeconds * 1e9));
            Report.Stretch stretch = report.begin();
            long before = transactions.count();
            TimeUnit.NANOSECONDS.sleep(Math.round(seconds * 1e9));
            long after = transactions.count();
            return Idle.of(stretch.end(), servers.databaseProgram(), after - before, relay);
        }
    }
}
