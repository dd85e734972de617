package io.outboxrelay.bench;

import io.outboxrelay.testservers.JavaProcess;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.OptionalInt;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * A relay or a consumer that is killed, stopped and frozen, and gets another clock at each start. It keeps its name.
 * One that has not been started is added by the first strike.
 */
final class ProcessVictim implements Victim, AutoCloseable {

    private static final Duration LONGEST_AWAY = Duration.ofSeconds(6);
    private static final Duration LONGEST_END = Duration.ofSeconds(30);

    private final Program program;
    private final Path folder;
    private final WrongClock clock;
    private final Chronicle chronicle;
    private final List<String> ownEnds = new CopyOnWriteArrayList<>();
    private @Nullable JavaProcess process;
    private int starts;

    /** What runs in the process. */
    interface Program {

        /** Its name in the chronicle. */
        String name();

        /** How long what it owns stays with it while it is dead or frozen. */
        Duration lease();

        /** Starts it and does not wait until it is ready. */
        JavaProcess start(WrongClock.Offset clock, Path log) throws IOException;
    }

    /**
     * @param program what is started
     * @param folder for its logs
     * @param clock chooses its date
     * @param chronicle records its faults
     */
    ProcessVictim(Program program, Path folder, WrongClock clock, Chronicle chronicle) {
        this.program = program;
        this.folder = folder;
        this.clock = clock;
        this.chronicle = chronicle;
    }

    @Override
    public String name() {
        return program.name();
    }

    /** Its unexpected exits. */
    List<String> ownEnds() {
        return ownEnds;
    }

    /** Starts it and does not wait until it is ready. */
    void start(RandomGenerator random) throws IOException {
        WrongClock.Offset offset = clock.anyOffset(random);
        starts++;
        chronicle.tell("%s is started, %s".formatted(name(), offset));
        process = program.start(offset, log());
    }

    @Override
    public void strike(RandomGenerator random) throws IOException, InterruptedException {
        if (starts == 0) {
            start(random);
            return;
        }
        JavaProcess running = running(random);
        Duration lease = program.lease();
        switch (random.nextInt(6)) {
            case 0, 1 -> {
                chronicle.kill(name());
                running.kill();
                startAgain(random);
            }
            case 2 -> {
                chronicle.tell(name() + " is asked to stop");
                running.terminate();
                requireEnd(running);
                startAgain(random);
            }
            case 3 -> freeze(running, Fate.between(random, Duration.ZERO, lease.minusSeconds(1)));
            default -> freeze(running, Fate.between(random, lease.plusSeconds(1), lease.multipliedBy(2)));
        }
    }

    /** The running process. If it has exited unexpectedly, which is a failure of the run, it is started again. */
    JavaProcess running(RandomGenerator random) throws IOException, InterruptedException {
        JavaProcess started = process;
        if (started != null) {
            OptionalInt status = started.waitFor(Duration.ZERO);
            if (status.isEmpty()) {
                return started;
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

    private void requireEnd(JavaProcess ending) throws InterruptedException {
        OptionalInt status = ending.waitFor(LONGEST_END);
        if (status.isEmpty()) {
            throw new IllegalStateException("it still runs %s after SIGTERM, see %s".formatted(LONGEST_END, log()));
        }
        chronicle.tell("%s has stopped with status %d".formatted(name(), status.getAsInt()));
    }

    private void freeze(JavaProcess frozen, Duration time) throws InterruptedException {
        chronicle.freeze(name(), time, frozen::freeze, frozen::thaw);
    }

    @Override
    public void close() {
        JavaProcess started = process;
        if (started != null) {
            started.close();
        }
    }
}
