package io.outboxrelay.testservers;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/** Finds programs of servers, which are often in folders that only an administrator's PATH names. */
final class InstalledPrograms {
    private static final List<String> USUAL = List.of(
            "/usr/sbin", "/usr/bin", "/usr/local/sbin", "/usr/local/bin", "/usr/local/mysql/bin", "/opt/homebrew/bin");

    private InstalledPrograms() {}

    /** All programs of a name, those on the PATH first. */
    static List<Path> all(String program) {
        String path = Optional.ofNullable(System.getenv("PATH")).orElse("");
        return Stream.concat(Stream.of(path.split(File.pathSeparator)), USUAL.stream())
                .map(folder -> Path.of(folder, program))
                .filter(Files::isExecutable)
                .distinct()
                .toList();
    }

    /**
     * The first program of a name.
     *
     * @throws IOException when there is none
     */
    static Path first(String program) throws IOException {
        return all(program).stream()
                .findFirst()
                .orElseThrow(() -> new IOException("no %s on the PATH".formatted(program)));
    }
}
