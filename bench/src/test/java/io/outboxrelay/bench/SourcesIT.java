package io.outboxrelay.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Runs the shipped jar for moments; no figure is checked. */
@Tag("full")
final class SourcesIT {

    @Test
    void each_number_of_sources_has_a_line_and_a_dead_source_does_not_stop_another() throws Exception {
        BenchProcess process = BenchProcess.start(
                "sources",
                "--busy-machine",
                "--counts",
                "1,2",
                "--settle",
                "0.1",
                "--seconds",
                "0.2",
                "--events",
                "1000",
                "--rounds",
                "1");
        String output = process.output();
        assumeThat(output).as("a database and a broker to measure").doesNotContain("NO SERVER");
        assertThat(process.status()).as(output).isZero();
        assertThat(output.lines())
                .as(output)
                .anyMatch(line -> line.startsWith("sources count=1 resident_mb="))
                .anyMatch(line -> line.startsWith("sources count=2 resident_mb="))
                .last()
                .asString()
                .matches("sources dead=.* \\(.*\\)");
    }
}
