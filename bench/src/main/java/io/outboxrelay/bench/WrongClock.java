package io.outboxrelay.bench;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * Lets processes believe in another date, by a library that answers for the system. Without a C compiler to build it
 * ({@code cc}) all clocks are right.
 *
 * @param library the library; null when it could not be built
 */
record WrongClock(@Nullable Path library) {

    private static final String SOURCE = "shifted-clock.c";
    private static final int MOST_SECONDS = 600;

    /** Builds the library. */
    static WrongClock build(Path folder) throws IOException, InterruptedException {
        Path source = folder.resolve(SOURCE);
        try (InputStream resource = WrongClock.class.getResourceAsStream("/" + SOURCE)) {
            Files.copy(Objects.requireNonNull(resource, SOURCE), source);
        }
        Path library = folder.resolve("shifted-clock.so");
        ProcessBuilder compiler = new ProcessBuilder(
                        "cc", "-O2", "-shared", "-fPIC", "-o", library.toString(), source.toString())
                .redirectErrorStream(true)
                .redirectOutput(folder.resolve("cc.log").toFile());
        try {
            return new WrongClock(compiler.start().waitFor() == 0 ? library : null);
        } catch (IOException e) {
            return new WrongClock(null);
        }
    }

    boolean isAvailable() {
        return library != null;
    }

    /** Up to ten minutes early or late; one time in three none. */
    Offset anyOffset(RandomGenerator random) {
        int seconds = random.nextInt(3) == 0 ? 0 : random.nextInt(-MOST_SECONDS, MOST_SECONDS + 1);
        return new Offset(library, library == null ? 0 : seconds);
    }

    /**
     * How wrong a clock is.
     *
     * @param library what makes it wrong
     * @param seconds added to the date
     */
    record Offset(@Nullable Path library, int seconds) {

        /** The environment of a process with this clock. */
        Map<String, String> added(Map<String, String> environment) {
            Map<String, String> all = new HashMap<>(environment);
            if (library != null && seconds != 0) {
                all.put("LD_PRELOAD", library.toString());
                all.put("CLOCK_OFFSET_SECONDS", Integer.toString(seconds));
            }
            return all;
        }

        @Override
        public String toString() {
            return seconds == 0 ? "clock right" : "clock %+d s off".formatted(seconds);
        }
    }
}
