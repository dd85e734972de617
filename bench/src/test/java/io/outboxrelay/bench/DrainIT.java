package io.outboxrelay.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Runs the shipped jar, with few events; how fast it is is not looked at. */
final class DrainIT {

    private static final Path JAVA = Path.of(System.getProperty("java.home"), "bin", "java");
    private static final Path BENCH = Path.of("target", "outbox-bench.jar");

    @Test
    void drains_every_event_to_both_kinds_of_queue_and_ends_with_the_ratios() throws Exception {
        Process process = bench("drain", "--events", "2000", "--aggregates", "50", "--rounds", "1");
        String output = output(process);
        assumeThat(output).as("a database and a broker to measure").doesNotContain("NO SERVER");
        assertThat(process.waitFor()).as(output).isZero();
        assertThat(output.lines())
                .anyMatch(line -> line.startsWith("classic relay: ") && line.contains("2,000 events in the queue"))
                .anyMatch(line -> line.startsWith("quorum relay: ") && line.contains("2,000 events in the queue"))
                .last()
                .asString()
                .matches("drain ratio classic=\\d+\\.\\d\\d quorum=\\d+\\.\\d\\d");
    }

    @Test
    void names_the_relay_that_it_cannot_find() throws Exception {
        Process process = bench("drain", "--relay-jar", "no-such.jar");
        String output = output(process);
        assertThat(process.waitFor()).isEqualTo(2);
        assertThat(output).contains("There is no relay at no-such.jar");
    }

    private static Process bench(String... arguments) throws IOException {
        ProcessBuilder builder = new ProcessBuilder(JAVA.toString(), "-jar", BENCH.toString());
        builder.command().addAll(List.of(arguments));
        return builder.redirectErrorStream(true).start();
    }

    private static String output(Process process) throws IOException {
        return new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    }
}
