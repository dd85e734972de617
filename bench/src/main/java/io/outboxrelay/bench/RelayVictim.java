package io.outboxrelay.bench;

import io.outboxrelay.testservers.JavaProcess;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.OptionalInt;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/** A relay that is killed, stopped and frozen, and gets another clock at each start. It keeps its name. */
final class RelayVictim implements Victim, AutoCloseable {

    private static final Duration LONGEST_AWAY = Duration.ofSeconds(6);
    private static final Duration LONGEST_END = Duration.ofSeconds(30);

    private final RelayFile file;
    private final Path jar;
    private final Path folder;
    private final WrongClock clock;
    private final Chronicle chronicle;
    private final List<String> ownEnds = new CopyOnWriteArrayList<>();
    private @Nullable JavaProcess process;
    private int starts;

    /**
     * @param file its configuration
     * @param jar the program
     * @param folder for its configuration and its logs
     * @param clock chooses its date
     * @param chronicle records its faults
     */
    RelayVictim(RelayFile file, Path jar, Path folder, WrongClock clock, Chronicle chronicle) {
        this.file = file;
        this.jar = jar;
        this.folder = folder;
        this.clock = clock;
        this.chronicle = chronicle;
    }

    @Override
    public String name() {
        return file.instance();
    }

    /** Its unexpected exits. */
    List<String> ownEnds() {
        return ownEnds;
    }

    /** Starts it and does not wait until it is ready. */
    void start(RandomGenerator random) throws IOException {
        WrongClock.Offset offset = clock.anyOffset(random);
        Path configuration = Files.writeString(folder.resolve(name() + ".yaml"), file.yaml());
        starts++;
        chronicle.tell("%s is started, %s".formatted(name(), offset));
        process = JavaProcess.startJar(
                jar, List.of("run", "--config", configuration.toString()), offset.added(file.environment()), log());
    }

    @Override
    public void strike(RandomGenerator random) throws IOException, InterruptedException {
        JavaProcess relay = running(random);
        switch (random.nextInt(6)) {
            case 0, 1 -> {
                chronicle.kill(name());
                relay.kill();
                startAgain(random);
            }
            case 2 -> {
                chronicle.tell(name() + " is asked to stop");
                relay.terminate();
                requireEnd(relay);
                startAgain(random);
            }
            case 3 -> freeze(relay, Fate.between(random, Duration.ZERO, RelayFile.LEASE.minusSeconds(1)));
            default ->
                freeze(relay, Fate.between(random, RelayFile.LEASE.plusSeconds(1), RelayFile.LEASE.multipliedBy(2)));
        }
    }

    /** The running relay. If it has exited unexpectedly, which is a failure of the run, it is started again. */
    JavaProcess running(RandomGenerator random) throws IOException, InterruptedException {
        JavaProcess relay = process;
        if (relay != null) {
            OptionalInt status = relay.waitFor(Duration.ZERO);
            if (status.isEmpty()) {
                return relay;
            }
            String end = "%s exited unexpectedly with status %d, see %s".formatted(name(), status.getAsInt(), log());
            ownEnds.add(end);
            chronicle.tell(end);
        }
        start(random);
        return running(random);
    }

    private Path log() {
        return folder.resolve("%s-%d.log".formatted(name(), starts));
    }

    private void startAgain(RandomGenerator random) throws IOException, InterruptedException {
        Fate.waitAtMost(LONGEST_AWAY, random);
        start(random);
    }

    private void requireEnd(JavaProcess relay) throws InterruptedException {
        OptionalInt status = relay.waitFor(LONGEST_END);
        if (status.isEmpty()) {
            throw new IllegalStateException("it still runs %s after SIGTERM, see %s".formatted(LONGEST_END, log()));
        }
        chronicle.tell("%s has stopped with status %d".formatted(name(), status.getAsInt()));
    }

    private void freeze(JavaProcess relay, Duration time) throws InterruptedException {
        chronicle.freeze(name(), time, relay::freeze, relay::thaw);
    }

    @Override
    public void close() {
        JavaProcess relay = process;
        if (relay != null) {
            relay.close();
        }
    }
}
