package io.outboxrelay.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;

/** A new folder for what the measured programs read and write. It stays for reading when something has failed. */
record LogFolder(Path path) {

    static LogFolder create() throws IOException {
        return new LogFolder(Files.createTempDirectory("outbox-bench-"));
    }

    /** Deletes it with all that is in it. */
    void delete() throws IOException {
        try (var files = Files.walk(path)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(file);
            }
        }
    }
}
