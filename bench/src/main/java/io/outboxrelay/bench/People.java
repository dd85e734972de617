package io.outboxrelay.bench;

import io.outboxrelay.testservers.JavaProcess;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import java.util.concurrent.TimeUnit;
import java.util.random.RandomGenerator;

/**
 * The people beside relays and consumers: they retry parked events, and pause and resume sources and routes, by the
 * relay's own commands, during all faults. A command that cannot reach a database is repeated later.
 */
final class People implements Victim {

    private static final Duration LONGEST_COMMAND = Duration.ofMinutes(1);
    private static final Duration LONGEST_PAUSE = Duration.ofSeconds(4);
    private static final int MOST_TRIES = 30;

    private final RelayFile file;
    private final Path jar;
    private final Path folder;
    private final Chronicle chronicle;
    private int commands;

    /**
     * @param file the configuration of the relays
     * @param jar the program
     * @param folder where the configuration and what the commands say go
     * @param chronicle records the commands
     */
    People(RelayFile file, Path jar, Path folder, Chronicle chronicle) {
        this.file = file;
        this.jar = jar;
        this.folder = folder;
        this.chronicle = chronicle;
    }

    @Override
    public String name() {
        return file.instance();
    }

    @Override
    public void strike(RandomGenerator random) throws IOException, InterruptedException {
        String source =
                file.sources().get(random.nextInt(file.sources().size())).name();
        switch (random.nextInt(5)) {
            case 0 -> pause(random, "--source", source);
            case 1 -> pause(random, "--aggregate-type", source);
            case 2 -> retryStored();
            default -> retry();
        }
    }

    /** Retries everything that relays have parked; what cannot be reached stays so. */
    void retry() throws IOException, InterruptedException {
        command("failures", "retry", "--all", "--reason", "chaos");
    }

    /** The same for what consumers have parked. */
    void retryStored() throws IOException, InterruptedException {
        command(
                "inbox",
                "failures",
                "retry",
                "--all",
                "--source",
                ChaosConsumer.CONSUMER,
                "--consumer",
                ChaosConsumer.CONSUMER,
                "--reason",
                "chaos");
    }

    private void pause(RandomGenerator random, String... what) throws IOException, InterruptedException {
        String[] pause = with("pause", what);
        command(pause);
        Fate.waitAtMost(LONGEST_PAUSE, random);
        String[] resume = with("resume", what);
        for (int tries = 1; command(resume) != 0; tries++) {
            if (tries == MOST_TRIES) {
                throw new IllegalStateException("resume failed, see %s".formatted(log()));
            }
            TimeUnit.SECONDS.sleep(1);
            command(pause); // resume also fails when nothing is paused: the pause failed, or an answer was lost
        }
    }

    private static String[] with(String command, String... what) {
        List<String> words = new ArrayList<>(List.of(command, "--reason", "chaos"));
        words.addAll(List.of(what));
        return words.toArray(String[]::new);
    }

    private int command(String... words) throws IOException, InterruptedException {
        Path configuration = Files.writeString(folder.resolve(name() + ".yaml"), file.yaml());
        commands++;
        List<String> arguments = new ArrayList<>(List.of(words));
        arguments.addAll(List.of("--config", configuration.toString()));
        try (JavaProcess process = JavaProcess.startJar(jar, arguments, file.environment(), log())) {
            OptionalInt status = process.waitFor(LONGEST_COMMAND);
            if (status.isEmpty()) {
                throw new IllegalStateException(
                        "%s still runs after %s, see %s".formatted(String.join(" ", words), LONGEST_COMMAND, log()));
            }
            chronicle.tell("people: %s, status %d".formatted(String.join(" ", words), status.getAsInt()));
            return status.getAsInt();
        }
    }

    private Path log() {
        return folder.resolve("%s-%d.log".formatted(name(), commands));
    }
}
