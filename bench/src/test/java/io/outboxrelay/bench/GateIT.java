package io.outboxrelay.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Runs the shipped jar with few events; its speed is not checked. */
@Tag("full")
final class GateIT {

    @Test
    void drains_every_event_with_and_without_the_gate_and_ends_with_the_ratio() throws Exception {
        BenchProcess process = BenchProcess.start("gate", "--busy-machine", "--events", "2000", "--rounds", "1");
        String output = process.output();
        assumeThat(output).as("a database and a broker to measure").doesNotContain("NO SERVER");
        assertThat(process.status()).as(output).isZero();
        assertThat(output.lines())
                .as(output)
                .anyMatch(line -> line.startsWith("classic with-gate: ") && line.contains("2,000 events in the queue"))
                .anyMatch(
                        line -> line.startsWith("classic without-gate: ") && line.contains("2,000 events in the queue"))
                .last()
                .asString()
                .matches("gate ratio \\d+\\.\\d\\d");
    }
}
