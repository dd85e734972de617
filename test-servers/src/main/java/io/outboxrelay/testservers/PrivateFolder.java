package io.outboxrelay.testservers;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;

/** A temporary folder of one server, with its data and its log. */
record PrivateFolder(Path path) {
    private static final int LOG_TAIL_CHARACTERS = 2_000;

    static PrivateFolder create(String prefix) throws IOException {
        return new PrivateFolder(Files.createTempDirectory(prefix));
    }

    Path log() {
        return path.resolve("server.log");
    }

    String endOfLog() {
        try {
            String log = new String(Files.readAllBytes(log()), StandardCharsets.UTF_8);
            return log.substring(Math.max(0, log.length() - LOG_TAIL_CHARACTERS));
        } catch (IOException e) {
            return "(no log: " + e.getMessage() + ")";
        }
    }

    void delete() throws IOException {
        List<Path> children;
        try (Stream<Path> walk = Files.walk(path)) {
            children = walk.sorted(Comparator.reverseOrder()).toList();
        }
        for (Path child : children) {
            Files.deleteIfExists(child);
        }
    }
}
