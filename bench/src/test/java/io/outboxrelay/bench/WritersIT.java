package io.outboxrelay.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Runs the shipped jar for moments; no rate is checked. */
@Tag("full")
final class WritersIT {

    @TempDir
    Path folder;

    @Test
    void every_variant_has_a_ratio_and_its_raw_data() throws Exception {
        String output = run("writers");

        for (WriterVariant variant : WriterVariant.values()) {
            assertThat(output.lines())
                    .as(output)
                    .anyMatch(line -> line.matches("writers ratio " + variant
                            + "=\\d+\\.\\d\\d \\(\\d+\\.\\d\\d\\.\\.\\d+\\.\\d\\d\\) beside .*"));
        }
        try (Stream<Path> files = Files.list(folder)) {
            List<String> lines = Files.readAllLines(files.findFirst().orElseThrow());
            assertThat(lines)
                    .startsWith("# command: writers")
                    .contains("variant,round,transactions,seconds,rate,others")
                    .anyMatch(line -> line.startsWith("# broker: RabbitMQ "))
                    .filteredOn(line -> line.matches("[a-z-]+,1,\\d+,.*"))
                    .hasSameSizeAs(WriterVariant.values());
        }
    }

    @Test
    void mariadb_has_the_variants_without_wake_up() throws Exception {
        String output = run("writers", "--database", "MARIADB", "--variants", "outbox,wakeup,client-batch");

        assertThat(output.lines().filter(line -> line.startsWith("writers ratio ")))
                .as(output)
                .extracting(line -> line.replaceAll("writers ratio (.*)=.*", "$1"))
                .containsExactly("plain", "outbox", "plain-loop", "client-batch");
    }

    private String run(String... arguments) throws Exception {
        List<String> all = Stream.concat(
                        Stream.of(arguments),
                        Stream.of(
                                "--busy-machine",
                                "--rounds",
                                "1",
                                "--seconds",
                                "0.2",
                                "--warm-up",
                                "0.1",
                                "--writers",
                                "2",
                                "--output",
                                folder.toString()))
                .toList();
        BenchProcess process = BenchProcess.start(all.toArray(String[]::new));
        String output = process.output();
        assumeThat(output).as("a database and a broker to measure").doesNotContain("NO SERVER");
        assertThat(process.status()).as(output).isZero();
        return output;
    }
}
