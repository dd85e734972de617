package io.outboxrelay.bench;

import io.outboxrelay.testservers.JavaProcess;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;

/**
 * A relay in a chaos run.
 *
 * @param file its configuration
 * @param jar the program
 * @param folder for its configuration
 */
record ChaosRelay(RelayFile file, Path jar, Path folder) implements ProcessVictim.Program {

    @Override
    public String name() {
        return file.instance();
    }

    @Override
    public Duration lease() {
        return RelayFile.LEASE;
    }

    @Override
    public JavaProcess start(WrongClock.Offset clock, Path log) throws IOException {
        Path configuration = Files.writeString(folder.resolve(name() + ".yaml"), file.yaml());
        return JavaProcess.startJar(
                jar, List.of("run", "--config", configuration.toString()), clock.added(file.environment()), log);
    }
}
