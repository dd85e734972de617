package io.outboxrelay.relay.stories;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.abort;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Objects;

/** Lets a process believe in another date: a library that answers for the system, built by the C compiler. */
final class ShiftedClock {

    private static final String SOURCE = "shifted-clock.c";

    private final Path library;

    private ShiftedClock(Path library) {
        this.library = library;
    }

    /** Builds the library; where there is no C compiler the test is aborted, and says so. */
    static ShiftedClock build(Path folder) throws IOException, InterruptedException {
        Path source = folder.resolve(SOURCE);
        try (InputStream resource = ShiftedClock.class.getResourceAsStream("/" + SOURCE)) {
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
            return abort("NOT PROVEN HERE: without a C compiler (`cc`) no relay can be given a wrong clock."
                    + " Install one, for example: apt-get install gcc libc6-dev");
        }
        assertThat(compiling.waitFor()).as("cc says: %s", Files.readString(log)).isZero();
        return new ShiftedClock(library);
    }

    /** What to add to the environment of a process. */
    Map<String, String> offBy(Duration offset) {
        return Map.of("LD_PRELOAD", library.toString(), "CLOCK_OFFSET_SECONDS", String.valueOf(offset.toSeconds()));
    }
}
