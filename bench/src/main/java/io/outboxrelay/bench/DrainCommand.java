package io.outboxrelay.bench;

import java.io.PrintWriter;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

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

    @Option(names = "--relay-jar", paramLabel = "FILE", description = RelayJar.DESCRIPTION)
    private @Nullable Path relayJar;

    @Option(
            names = "--relay-java-options",
            paramLabel = "OPTIONS",
            defaultValue = RelayProgram.JAVA_OPTIONS,
            description = "Options for the relay's JVM. Default: ${DEFAULT-VALUE}, as in the container image.")
    private String relayJavaOptions = RelayProgram.JAVA_OPTIONS;

    @Spec
    private @Nullable CommandSpec spec;

    @Override
    public Integer call() throws Exception {
        Path jar = RelayJar.find(relayJar, spec);
        PrintWriter out = new PrintWriter(System.out, true);
        LogFolder folder = LogFolder.create();
        Load load = new Load(events, aggregates, payloadBytes);
        try (Servers servers = this.servers.open();
                BenchOutbox outbox = new BenchOutbox(servers.dataSource(), lanes)) {
            out.printf(
                    Locale.ROOT,
                    "%,d events of %d bytes, %d aggregates, %d lanes, %s, Java %s%n",
                    events,
                    payloadBytes,
                    aggregates,
                    lanes,
                    servers.names(),
                    Runtime.version());
            List<Contender> contenders = List.of(
                    new RelayProgram(jar, servers, load, outbox, relayJavaOptions, folder.path()),
                    PerfTest.plain(servers.amqpUri(), load, folder.path()),
                    PerfTest.alike(servers.amqpUri(), load, folder.path()));
            out.println(measure(contenders, servers, out));
        }
        folder.delete();
        return 0;
    }

    private String measure(List<Contender> contenders, Servers servers, PrintWriter out) throws Exception {
        DrainMeasurement measurement =
                new DrainMeasurement(servers.amqpUri(), events, Duration.ofSeconds(timeoutSeconds), out);
        List<Map<QueueKind, Double>> medians = new ArrayList<>();
        contenders.forEach(contender -> medians.add(new EnumMap<>(QueueKind.class)));
        for (QueueKind kind : QueueKind.values()) {
            List<List<Double>> rates = new ArrayList<>();
            contenders.forEach(contender -> rates.add(new ArrayList<>()));
            for (int round = 0; round < rounds; round++) {
                // The order changes with the round.
                for (int turn = 0; turn < contenders.size(); turn++) {
                    int who = (round + turn) % contenders.size();
                    Drain drain = measurement.run(contenders.get(who), kind);
                    rates.get(who).add(drain.rate());
                    out.println(drain.describe());
                }
            }
            for (int who = 0; who < contenders.size(); who++) {
                medians.get(who).put(kind, median(rates.get(who)));
            }
        }
        out.println("beside PerfTest with the relay's messages and window: " + ratio(medians.get(0), medians.get(2)));
        return "drain ratio " + ratio(medians.get(0), medians.get(1));
    }

    private static String ratio(Map<QueueKind, Double> relay, Map<QueueKind, Double> other) {
        return String.format(
                Locale.ROOT,
                "classic=%.2f quorum=%.2f",
                relay.get(QueueKind.CLASSIC) / other.get(QueueKind.CLASSIC),
                relay.get(QueueKind.QUORUM) / other.get(QueueKind.QUORUM));
    }

    static double median(List<Double> values) {
        double[] sorted =
                values.stream().mapToDouble(Double::doubleValue).sorted().toArray();
        int middle = sorted.length / 2;
        return sorted.length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
    }
}
