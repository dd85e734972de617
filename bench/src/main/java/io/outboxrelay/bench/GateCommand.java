package io.outboxrelay.bench;

import java.io.PrintWriter;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Measures what the gate for schemas costs: the same Avro events are drained with it and without. */
@Command(
        name = "gate",
        mixinStandardHelpOptions = true,
        description = {
            "Measures the cost of the schema gate: a relay drains the same Avro events with and without it.",
            "Starts its own servers unless you name others, and removes everything that it creates.",
            "Last line: gate ratio R, the rate with the gate divided by the rate without, medians of the rounds."
        },
        sortOptions = false)
final class GateCommand implements Callable<Integer> {

    private static final Duration LONGEST_RUN = Duration.ofMinutes(2);

    @Option(
            names = "--events",
            paramLabel = "N",
            defaultValue = "200000",
            description = "Events per run. Default: ${DEFAULT-VALUE}")
    private long events;

    @Option(
            names = "--rounds",
            paramLabel = "N",
            defaultValue = "3",
            description = "Runs with and without the gate. Default: ${DEFAULT-VALUE}")
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
        Load load = new Load(events, 1_000, 200);
        LogFolder folder = LogFolder.create();
        int status;
        try (Servers servers = serverOptions.open();
                BenchOutbox outbox = new BenchOutbox(servers.dataSource(), 8)) {
            Path contracts = folder.path().resolve("contracts");
            GateLoad.write(contracts);
            List<Contender> contenders = new ArrayList<>();
            for (GateLoad gate : List.of(new GateLoad("with-gate", contracts), new GateLoad("without-gate", null))) {
                BenchRelay relay = relayOptions.relay(servers, folder.path().resolve(gate.name()), gate.yaml());
                contenders.add(new RelayProgram(load, outbox, relay, gate));
            }
            out.printf(Locale.ROOT, "%,d Avro events, %s%n", events, servers.names());
            DrainMeasurement measurement = new DrainMeasurement(servers.amqpUri(), events, LONGEST_RUN, out);
            try (Report report = reportOptions.open(servers, out, DrainTurns.COLUMNS)) {
                List<Double> medians =
                        new DrainTurns(contenders, measurement, report, out).run(QueueKind.CLASSIC, rounds);
                status = report.finish(
                        List.of(String.format(Locale.ROOT, "gate ratio %.2f", medians.get(0) / medians.get(1))));
            }
        }
        folder.delete();
        return status;
    }
}
