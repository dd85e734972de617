package io.outboxrelay.bench;

import io.outboxrelay.testservers.DatabaseKind;
import java.io.PrintWriter;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Measures what an event costs the transactions of the service that writes it. */
@Command(
        name = "writers",
        mixinStandardHelpOptions = true,
        description = {
            "Measures what an event costs a service: its transactions with an event in the outbox, with and without",
            "wake-up and a relay, compared with transactions that insert the same columns into a bare table.",
            "Starts its own servers unless you name others, and removes everything that it creates.",
            "Last lines: writers ratio NAME=R (MIN..MAX), the rate divided by that of the reference in the same round."
        },
        sortOptions = false)
final class WritersCommand implements Callable<Integer> {

    private static final int LANES = 8;

    @Option(
            names = "--database",
            paramLabel = "KIND",
            defaultValue = "postgresql",
            description = "The database to start: postgresql, mariadb or mysql. Default: ${DEFAULT-VALUE}")
    private DatabaseKind kind = DatabaseKind.POSTGRESQL;

    @Option(
            names = "--variants",
            paramLabel = "NAME",
            split = ",",
            description = {
                "Only these and what they are compared with, separated by commas: ${COMPLETION-CANDIDATES}.",
                "Default: all that the database has; wake-up needs PostgreSQL."
            })
    private @Nullable List<WriterVariant> variants;

    @Option(
            names = "--writers",
            paramLabel = "N",
            defaultValue = "16",
            description = "Connections that write at the same time. Default: ${DEFAULT-VALUE}")
    private int writers;

    @Option(
            names = "--rounds",
            paramLabel = "N",
            defaultValue = "5",
            description = "Runs of each variant. Default: ${DEFAULT-VALUE}")
    private int rounds;

    @Option(
            names = "--seconds",
            paramLabel = "S",
            defaultValue = "3",
            description = "Measured time of each run. Default: ${DEFAULT-VALUE}")
    private double seconds;

    @Option(
            names = "--warm-up",
            paramLabel = "S",
            defaultValue = "2",
            description = "Time of each run before that. Default: ${DEFAULT-VALUE}")
    private double warmUpSeconds;

    @Option(
            names = "--events-per-transaction",
            paramLabel = "N",
            defaultValue = "10",
            description = "Events of a transaction that writes several. Default: ${DEFAULT-VALUE}")
    private int events;

    @Option(
            names = "--aggregates",
            paramLabel = "N",
            defaultValue = "1000",
            description = "Number of aggregates. Default: ${DEFAULT-VALUE}")
    private int aggregates;

    @Option(
            names = "--payload-bytes",
            paramLabel = "N",
            defaultValue = "200",
            description = "Size of an event's payload, at least 2. Default: ${DEFAULT-VALUE}")
    private int payloadBytes;

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
            List<WriterVariant> chosen = chosen(servers.kind());
            Map<String, BenchRelay> relays = relayOptions.byWakeup(
                    chosen.stream()
                            .map(WriterVariant::relay)
                            .filter(Objects::nonNull)
                            .distinct()
                            .toList(),
                    servers,
                    folder.path());
            WriterTables tables = new WriterTables(servers, new Load(0, aggregates, payloadBytes), events);
            try (Report report = reportOptions.open(servers, out, WriterMeasurement.COLUMNS)) {
                WriterMeasurement measurement =
                        new WriterMeasurement(servers, outbox, tables, relays, report, writers, warmUpSeconds, seconds);
                WriterRates rates = new WriterRates();
                for (int round = 1; round <= rounds; round++) {
                    // The order changes with the round.
                    for (int turn = 0; turn < chosen.size(); turn++) {
                        WriterVariant variant = chosen.get((round + turn) % chosen.size());
                        double rate = measurement.rate(variant, round);
                        rates.add(variant, rate);
                        out.printf(Locale.ROOT, "  round %d, %s: %,.0f/s%n", round, variant, rate);
                    }
                }
                status = report.finish(rates.lines());
            }
        }
        folder.delete();
        return status;
    }

    private List<WriterVariant> chosen(DatabaseKind database) {
        List<WriterVariant> named = variants == null ? List.of(WriterVariant.values()) : variants;
        return Stream.of(WriterVariant.values())
                .filter(variant -> named.stream().anyMatch(one -> one == variant || one.reference() == variant))
                .filter(variant -> database == DatabaseKind.POSTGRESQL || !variant.wakesRelay())
                .toList();
    }
}
