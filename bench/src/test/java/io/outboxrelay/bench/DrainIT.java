package io.outboxrelay.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Runs the shipped jar with few events; its speed is not checked. */
@Tag("full")
final class DrainIT {

    @Test
    void drains_every_event_to_both_kinds_of_queue_and_ends_with_the_ratios() throws Exception {
        BenchProcess process = BenchProcess.start(
                "drain", "--busy-machine", "--events", "2000", "--aggregates", "50", "--rounds", "1");
        String output = process.output();
        assumeThat(output).as("a database and a broker to measure").doesNotContain("NO SERVER");
        assertThat(process.status()).as(output).isZero();
        assertThat(output.lines())
                .anyMatch(line -> line.startsWith("classic relay: ") && line.contains("2,000 events in the queue"))
                .anyMatch(line -> line.startsWith("quorum relay: ") && line.contains("2,000 events in the queue"))
                .last()
                .asString()
                .matches("drain ratio classic=\\d+\\.\\d\\d quorum=\\d+\\.\\d\\d");
    }

    @Test
    void names_the_relay_that_it_cannot_find() throws Exception {
        BenchProcess process = BenchProcess.start("drain", "--relay-jar", "no-such.jar");
        String output = process.output();
        assertThat(process.status()).isEqualTo(2);
        assertThat(output).contains("There is no relay at no-such.jar");
    }
}
