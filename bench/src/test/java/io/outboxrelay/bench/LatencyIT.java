package io.outboxrelay.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Runs the shipped jar for moments; no latency is checked. */
@Tag("full")
final class LatencyIT {

    @TempDir
    Path folder;

    @Test
    void every_event_arrives_and_its_chart_can_be_drawn() throws Exception {
        BenchProcess process = BenchProcess.start(
                "latency",
                "--busy-machine",
                "--rounds",
                "1",
                "--rates",
                "50",
                "--warm-up",
                "0.2",
                "--seconds",
                "0.4",
                "--output",
                folder.toString());
        String output = process.output();
        assumeThat(output).as("a database and a broker to measure").doesNotContain("NO SERVER");
        assertThat(process.status()).as(output).isZero();
        assertThat(output.lines())
                .as(output)
                .anyMatch(line -> line.startsWith("latency wakeup=notify rate=50 p50_ms="))
                .anyMatch(line -> line.startsWith("latency wakeup=none rate=50 p50_ms="))
                .filteredOn(line -> line.matches(".* of 20 events"))
                .hasSize(2);

        BenchProcess charts = BenchProcess.start("charts", folder.toString(), "--to", folder.toString());
        assertThat(charts.output()).contains("latency-postgresql-");
        assertThat(charts.status()).isZero();
        try (Stream<Path> files = Files.list(folder)) {
            assertThat(files.filter(file -> file.toString().endsWith(".svg"))).hasSize(1);
        }
    }
}
