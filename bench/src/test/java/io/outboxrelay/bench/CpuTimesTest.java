package io.outboxrelay.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.outboxrelay.bench.CpuTimes.Used;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** On a machine with as many processors as this one, in which each was busy for one second of ten. */
class CpuTimesTest {

    private static final int PROCESSORS = Runtime.getRuntime().availableProcessors();
    private static final CpuTimes BEFORE =
            new CpuTimes(Map.of(1L, new Used("java", 0, 0), 2L, new Used("postgres", 0, 0)), Set.of(1L), 0, 0);

    @Test
    void what_this_process_and_its_ended_children_used_is_no_others() {
        CpuTimes after = new CpuTimes(
                Map.of(1L, new Used("java", 0.5 * PROCESSORS, 0.2 * PROCESSORS)), Set.of(1L), PROCESSORS, 0);

        assertThat(after.others(BEFORE, 10, Set.of())).isEqualTo(0.03, within(1e-9));
    }

    @Test
    void a_named_server_counts_only_if_it_serves_the_measurement() {
        CpuTimes after = new CpuTimes(Map.of(2L, new Used("postgres", PROCESSORS, 0)), Set.of(1L), PROCESSORS, 0);

        assertThat(after.others(BEFORE, 10, Set.of("postgres"))).isZero();
        assertThat(after.others(BEFORE, 10, Set.of("mariadbd"))).isEqualTo(0.1, within(1e-9));
    }

    @Test
    void another_server_of_the_name_is_of_others_if_the_measurement_started_its_own() {
        CpuTimes after = new CpuTimes(
                Map.of(2L, new Used("postgres", PROCESSORS, 0), 3L, new Used("postgres", 0, 0)),
                Set.of(1L, 3L),
                PROCESSORS,
                0);

        assertThat(after.others(BEFORE, 10, Set.of("postgres"))).isEqualTo(0.1, within(1e-9));
    }

    @Test
    void what_other_guests_took_is_of_others() {
        CpuTimes after = new CpuTimes(Map.of(), Set.of(1L), 0, PROCESSORS);

        assertThat(after.others(BEFORE, 10, Set.of())).isEqualTo(0.1, within(1e-9));
    }
}
