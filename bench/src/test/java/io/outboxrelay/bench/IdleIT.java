package io.outboxrelay.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Runs the shipped jar for moments; no figure is checked. */
@Tag("full")
final class IdleIT {

    @Test
    void each_kind_of_wake_up_has_a_line_and_so_has_the_database_without_a_relay() throws Exception {
        BenchProcess process =
                BenchProcess.start("idle", "--busy-machine", "--rounds", "1", "--settle", "0.1", "--seconds", "0.2");
        String output = process.output();
        assumeThat(output).as("a database and a broker to measure").doesNotContain("NO SERVER");
        assertThat(process.status()).as(output).isZero();
        assertThat(output.lines().filter(line -> line.startsWith("idle wakeup=")))
                .as(output)
                .hasSize(3)
                .anyMatch(line -> line.startsWith("idle wakeup=notify relay_percent="))
                .anyMatch(line -> line.startsWith("idle wakeup=none relay_percent="))
                .anyMatch(line -> line.startsWith("idle wakeup=off relay_percent=0.00"));
    }
}
