package io.outboxrelay.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import java.util.SplittableRandom;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Each build has other faults; a failure prints the seed that repeats them. */
@Tag("full")
final class ChaosIT {

    // hazard 92
    @Test
    void all_committed_events_arrive_and_take_effect_in_order_whatever_is_killed_frozen_or_restarted()
            throws Exception {
        String seed = Long.toString(new SplittableRandom().nextLong(1_000_000));
        BenchProcess bench = BenchProcess.start("chaos", "--minutes", "0.5", "--seed", seed);
        String output = bench.output();
        assumeThat(output).as("a database and a broker to kill").doesNotContain("NO SERVER");
        assertThat(bench.status()).as(output).isZero();
        assertThat(output.lines())
                .last()
                .asString()
                .matches("chaos passed: events=[1-9]\\d* kills=\\d+ lost=0 out_of_order=0 duplicates_delivered=\\d+"
                        + " effects_lost=0 effects_twice=0 effects_out_of_order=0 queues=(classic|quorum)"
                        + " clocks=(on|off) seed="
                        + seed);
    }

    @Test
    void refuses_a_run_without_time() throws Exception {
        BenchProcess bench = BenchProcess.start("chaos", "--minutes", "0");
        assertThat(bench.output()).contains("--minutes must be more than 0");
        assertThat(bench.status()).isEqualTo(2);
    }
}
