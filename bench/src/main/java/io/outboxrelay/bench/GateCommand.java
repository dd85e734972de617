package io.outboxrelay.bench;

import java.io.PrintWriter;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Measures what the gate for schemas costs: the same Avro events are drained with it and without. */
@Command(
        name = "gate",
        mixinStandardHelpOptions = true,
        description = {
            "Measures the cost of the schema gate: a relay drains the same Avro events with and without it.",
            "Starts its own servers, and removes everything that it creates.",
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

    @Option(names = "--relay-jar", paramLabel = "FILE", description = RelayJar.DESCRIPTION)
    private @Nullable Path relayJar;

    @Spec
    private @Nullable CommandSpec spec;

    @Override
    public Integer call() throws Exception {
        Path jar = RelayJar.find(relayJar, spec);
        PrintWriter out = new PrintWriter(System.out, true);
        Load load = new Load(events, 1_000, 200);
        List<LogFolder> folders = new ArrayList<>();
        try (Servers servers = new Servers(null, null);
                BenchOutbox outbox = new BenchOutbox(servers.dataSource(), 8)) {
            LogFolder contracts = LogFolder.create();
            folders.add(contracts);
            GateLoad.write(contracts.path());
            List<Contender> contenders = new ArrayList<>();
            for (GateLoad gate :
                    List.of(new GateLoad("with-gate", contracts.path()), new GateLoad("without-gate", null))) {
                LogFolder folder = LogFolder.create();
                folders.add(folder);
                contenders.add(
                        new RelayProgram(jar, servers, load, outbox, RelayProgram.JAVA_OPTIONS, folder.path(), gate));
            }
            out.printf(Locale.ROOT, "%,d Avro events, %s, Java %s%n", events, servers.names(), Runtime.version());
            out.println(measure(contenders, servers, out));
        } finally {
            for (LogFolder folder : folders) {
                folder.delete();
            }
        }
        return 0;
    }

    private String measure(List<Contender> contenders, Servers servers, PrintWriter out) throws Exception {
        DrainMeasurement measurement = new DrainMeasurement(servers.amqpUri(), events, LONGEST_RUN, out);
        List<List<Double>> rates = List.of(new ArrayList<>(), new ArrayList<>());
        for (int round = 0; round < rounds; round++) {
            for (int turn = 0; turn < contenders.size(); turn++) {
                int who = (round + turn) % contenders.size(); // who goes first changes with the round
                Drain drain = measurement.run(contenders.get(who), QueueKind.CLASSIC);
                rates.get(who).add(drain.rate());
                out.println(drain.describe());
            }
        }
        return String.format(
                Locale.ROOT, "gate ratio %.2f", DrainCommand.median(rates.get(0)) / DrainCommand.median(rates.get(1)));
    }
}
