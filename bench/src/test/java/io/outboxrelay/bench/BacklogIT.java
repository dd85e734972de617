package io.outboxrelay.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Runs the shipped jar with few events; no rate is checked. */
@Tag("full")
final class BacklogIT {

    @Test
    void every_backlog_is_drained_also_behind_dead_rows() throws Exception {
        BenchProcess process = BenchProcess.start(
                "backlog", "--busy-machine", "--rounds", "1", "--events", "500,2000", "--dead-rows", "1000");
        String output = process.output();
        assumeThat(output).as("a database and a broker to measure").doesNotContain("NO SERVER");
        assertThat(process.status()).as(output).isZero();
        assertThat(output.lines().filter(line -> line.startsWith("backlog events=")))
                .as(output)
                .hasSize(3)
                .anyMatch(line -> line.startsWith("backlog events=500 dead_rows=0 last_tenth="))
                .anyMatch(line -> line.startsWith("backlog events=2000 dead_rows=0 last_tenth="))
                .anyMatch(line -> line.startsWith("backlog events=500 dead_rows=1000 last_tenth="));
    }
}
