package io.outboxrelay.testservers;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;

/** Gives processes a wrong date, by a library that replaces the system's calls. The C compiler builds it. */
public final class ShiftedClock {
    private static final String SOURCE = "shifted-clock.c";

    private final Path library;

    private ShiftedClock(Path library) {
        this.library = library;
    }

    /**
     * Builds the library.
     *
     * @param folder for the library and the compiler's log
     * @return empty without a C compiler ({@code cc})
     * @throws IOException when a file cannot be written
     * @throws InterruptedException when the calling thread is interrupted
     * @throws IllegalStateException when the compiler fails, with its log
     */
    public static Optional<ShiftedClock> build(Path folder) throws IOException, InterruptedException {
        Path source = folder.resolve(SOURCE);
        try (InputStream resource = ShiftedClock.class.getResourceAsStream(SOURCE)) {
            Files.copy(Objects.requireNonNull(resource, SOURCE), source);
        }
        Path library = folder.resolve("shifted-clock.so");
        Path log = folder.resolve("cc.log");
        ProcessBuilder compiler = new ProcessBuilder(
                        "cc", "-O2", "-shared", "-fPIC", "-o", library.toString(), source.toString())
                .redirectErrorStream(true)
                .redirectOutput(log.toFile());
        Process compiling;
        try {
            compiling = compiler.start();
        } catch (IOException e) {
            return Optional.empty();
        }
        if (compiling.waitFor() != 0) {
            throw new IllegalStateException("cc could not build %s: %s".formatted(source, Files.readString(log)));
        }
        return Optional.of(new ShiftedClock(library));
    }

    /**
     * The environment variables that shift the clock of a process.
     *
     * @param offset added to the date, in whole seconds
     * @return to be added to the environment
     */
    public Map<String, String> offBy(Duration offset) {
        return Map.of("LD_PRELOAD", library.toString(), "CLOCK_OFFSET_SECONDS", String.valueOf(offset.toSeconds()));
    }
}
