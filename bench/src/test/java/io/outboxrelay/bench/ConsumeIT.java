package io.outboxrelay.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Runs the shipped jar with few events; no rate is checked. */
@Tag("full")
final class ConsumeIT {

    @Test
    void every_consumer_handles_every_event_once_and_the_ratios_come_last() throws Exception {
        BenchProcess process = BenchProcess.start(
                "consume", "--busy-machine", "--events", "1000", "--aggregates", "50", "--rounds", "1");
        String output = process.output();
        assumeThat(output).as("a database and a broker to measure").doesNotContain("NO SERVER");
        assertThat(process.status()).as(output).isZero();
        for (ConsumeContender contender : ConsumeContender.values()) {
            String once = "(%,d events once, ".formatted(contender.share(1_000));
            assertThat(output.lines())
                    .as(output)
                    .anyMatch(line -> line.startsWith(contender + ": ") && line.contains(once));
        }
        assertThat(output.lines())
                .last()
                .asString()
                .matches("consume ratio one-by-one=\\d+\\.\\d\\d loop=\\d+\\.\\d\\d spring-batch=\\d+\\.\\d\\d"
                        + " out_of_order=0");
    }

    @Test
    void memory_is_read_at_every_tenth() throws Exception {
        BenchProcess process =
                BenchProcess.start("consume", "--memory", "--events", "3000", "--contenders", "loop-100");
        String output = process.output();
        assumeThat(output).as("a database and a broker to measure").doesNotContain("NO SERVER");
        assertThat(output.lines())
                .as(output)
                .anyMatch(line -> line.matches("loop-100: heap .* at each tenth: (\\d+\\.\\d MB(, )?){10}"))
                .last()
                .asString()
                .startsWith("consume memory flat=");
    }

    @Test
    void names_the_contenders_if_one_is_unknown() throws Exception {
        BenchProcess process = BenchProcess.start("consume", "--contenders", "loop");
        String output = process.output();
        assertThat(process.status()).isEqualTo(2);
        assertThat(output).contains("There is no contender loop, but there are outbox, outbox-1x1,");
    }
}
