package io.outboxrelay.bench;

import java.io.PrintWriter;
import java.time.Duration;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Measures how fast the relay drains a full outbox, beside PerfTest, on each kind of queue. */
@Command(
        name = "drain",
        mixinStandardHelpOptions = true,
        description = {
            "Measures how fast the relay drains a full outbox, compared with com.rabbitmq:perf-test.",
            "Starts its own servers unless you name others, and removes everything that it creates.",
            "The last line but one compares with PerfTest sending the relay's messages.",
            "Last line: drain ratio classic=R quorum=R, the relay's rate divided by PerfTest's, medians of the rounds."
        },
        sortOptions = false)
final class DrainCommand implements Callable<Integer> {

    @Option(
            names = "--events",
            paramLabel = "N",
            defaultValue = "200000",
            description = "Messages per run. Default: ${DEFAULT-VALUE}")
    private long events;

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
            description = "Size of a message's payload. Default: ${DEFAULT-VALUE}")
    private int payloadBytes;

    @Option(
            names = "--lanes",
            paramLabel = "N",
            defaultValue = "8",
            description = "Number of lanes. Default: ${DEFAULT-VALUE}")
    private int lanes;

    @Option(
            names = "--rounds",
            paramLabel = "N",
            defaultValue = "3",
            description = "Runs of each program on each kind of queue. Default: ${DEFAULT-VALUE}")
    private int rounds;

    @Option(
            names = "--timeout",
            paramLabel = "SECONDS",
            defaultValue = "120",
            description = "Maximum duration of one run. Default: ${DEFAULT-VALUE}")
    private long timeoutSeconds;

    @Mixin
    private final ServerOptions servers = new ServerOptions();

    @Mixin
    private final RelayOptions relayOptions = new RelayOptions();

    @Mixin
    private final ReportOptions reportOptions = new ReportOptions();

    @Override
    public Integer call() throws Exception {
        relayOptions.find();
        PrintWriter out = new PrintWriter(System.out, true);
        LogFolder folder = LogFolder.create();
        Load load = new Load(events, aggregates, payloadBytes);
        int status;
        try (Servers servers = this.servers.open();
                BenchOutbox outbox = new BenchOutbox(servers.dataSource(), lanes)) {
            out.printf(
                    Locale.ROOT,
                    "%,d events of %d bytes, %d aggregates, %d lanes, %s%n",
                    events,
                    payloadBytes,
                    aggregates,
                    lanes,
                    servers.names());
            BenchRelay relay = relayOptions.relay(servers, folder.path(), "");
            List<Contender> contenders = List.of(
                    new RelayProgram(load, outbox, relay),
                    PerfTest.plain(servers.amqpUri(), load, folder.path()),
                    PerfTest.alike(servers.amqpUri(), load, folder.path()));
            DrainMeasurement measurement =
                    new DrainMeasurement(servers.amqpUri(), events, Duration.ofSeconds(timeoutSeconds), out);
            try (Report report = reportOptions.open(servers, out, DrainTurns.COLUMNS)) {
                status = report.finish(results(new DrainTurns(contenders, measurement, report, out)));
            }
        }
        folder.delete();
        return status;
    }

    private List<String> results(DrainTurns turns) throws Exception {
        Map<QueueKind, List<Double>> medians = new EnumMap<>(QueueKind.class);
        for (QueueKind kind : QueueKind.values()) {
            medians.put(kind, turns.run(kind, rounds));
        }
        return List.of(
                "beside PerfTest with the relay's messages and window: " + ratio(medians, 2),
                "drain ratio " + ratio(medians, 1));
    }

    private static String ratio(Map<QueueKind, List<Double>> medians, int other) {
        return medians.entrySet().stream()
                .map(kind -> String.format(
                        Locale.ROOT,
                        "%s=%.2f",
                        kind.getKey(),
                        kind.getValue().get(0) / kind.getValue().get(other)))
                .collect(Collectors.joining(" "));
    }
}
