package io.outboxrelay.bench;

import io.outboxrelay.testservers.ShiftedClock;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.SplittableRandom;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/**
 * Kills, freezes and restarts whatever there is while services write and people pause and retry, and checks whether
 * everything arrives in order and has its effect once, in order.
 */
@Command(
        name = "chaos",
        mixinStandardHelpOptions = true,
        description = {
            "Kills, freezes and restarts relays, consumers, broker and databases at random while services write",
            "events, and people pause, resume and retry events with the relay's commands.",
            "Then checks that all committed events arrive and have one effect each, in order.",
            "Starts its own servers, which stop with it.",
            "Last line: chaos passed: events=N kills=N lost=0 out_of_order=0 duplicates_delivered=N effects_lost=0",
            "effects_twice=0 effects_out_of_order=0 ...",
            "or: chaos failed: ..."
        },
        sortOptions = false)
final class ChaosCommand implements Callable<Integer> {

    private static final int LONGEST_MINUTES = 24 * 60;

    @Option(
            names = "--minutes",
            paramLabel = "M",
            defaultValue = "1",
            description = "Duration of the faults in minutes, fractions allowed. Default: ${DEFAULT-VALUE}")
    private double minutes;

    @Option(
            names = "--seed",
            paramLabel = "S",
            description = "Determines the faults, their times, and whether the ledgers are classic or quorum queues."
                    + " Default: random")
    private @Nullable Long seed;

    @Option(names = "--relay-jar", paramLabel = "FILE", description = RelayJar.DESCRIPTION)
    private @Nullable Path relayJar;

    @Spec
    private @Nullable CommandSpec spec;

    @Override
    public Integer call() throws Exception {
        Path jar = RelayJar.find(relayJar, spec);
        if (spec != null && !(minutes > 0 && minutes <= LONGEST_MINUTES)) {
            throw new ParameterException(
                    spec.commandLine(),
                    "--minutes must be more than 0 and at most %d (a day)".formatted(LONGEST_MINUTES));
        }
        long chosen = seed == null ? new SplittableRandom().nextLong(1_000_000) : seed;
        PrintWriter out = new PrintWriter(System.out, true);
        Path folder = Files.createTempDirectory("outbox-chaos-");
        WrongClock clock = new WrongClock(ShiftedClock.build(folder));
        QueueKind kind = new SplittableRandom(chosen).nextBoolean() ? QueueKind.CLASSIC : QueueKind.QUORUM;
        String setting = "queues=%s clocks=%s seed=%d".formatted(kind, clock.isAvailable() ? "on" : "off", chosen);
        out.printf("chaos for %s min, %s, Java %s, logs in %s%n", minutes, setting, Runtime.version(), folder);
        Chronicle chronicle = new Chronicle(out);
        try {
            Verdict verdict = run(new ChaosRun(chosen, chronicle), jar, folder, clock, kind);
            verdict.details().forEach(out::println);
            String counts = verdict.counts(chronicle.kills());
            out.println("chaos %s: %s %s".formatted(verdict.isGood() ? "passed" : "failed", counts, setting));
            if (verdict.isGood()) {
                delete(folder);
            }
            return verdict.isGood() ? 0 : 1;
        } catch (Exception e) {
            // Also this is a result, with a seed that can be tried again.
            e.printStackTrace(System.err);
            out.println("chaos failed: %s %s"
                    .formatted(String.valueOf(e.getMessage()).replaceAll("\\R", " | "), setting));
            return 1;
        }
    }

    /** Returns when all that it started has ended. */
    private Verdict run(ChaosRun chaos, Path jar, Path folder, WrongClock clock, QueueKind kind) throws Exception {
        try (chaos) {
            chaos.start(jar, folder, clock, kind);
            chaos.strike(Duration.ofMillis(Math.round(minutes * 60_000)));
            return chaos.judge();
        }
    }

    private static void delete(Path folder) throws IOException {
        try (var files = Files.list(folder)) {
            for (Path file : files.toList()) {
                Files.delete(file);
            }
        }
        Files.delete(folder);
    }
}
