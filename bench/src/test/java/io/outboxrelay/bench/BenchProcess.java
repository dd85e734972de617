package io.outboxrelay.bench;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;

/** The shipped jar, run as users do. */
record BenchProcess(Process process) {

    private static final Path JAVA = Path.of(System.getProperty("java.home"), "bin", "java");
    private static final Path JAR = Path.of("target", "outbox-bench.jar");

    static BenchProcess start(String... arguments) throws IOException {
        ProcessBuilder builder = new ProcessBuilder(JAVA.toString(), "-jar", JAR.toString());
        builder.command().addAll(List.of(arguments));
        return new BenchProcess(builder.redirectErrorStream(true).start());
    }

    /** Waits for the end, and gives all that was printed. */
    String output() throws IOException {
        return new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    }

    /** Waits for the end, and gives the exit status. */
    int status() throws InterruptedException {
        return process.waitFor();
    }
}
