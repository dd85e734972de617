package io.outboxrelay.relay.lane;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class OncePerMinuteTest {

    private final SettableClock clock = new SettableClock();
    private final OncePerMinute reports = new OncePerMinute(clock);
    private final List<Long> reported = new ArrayList<>();

    @Test
    void the_first_occurrence_is_reported_at_once_and_the_next_ones_after_a_minute_with_their_number() {
        reports.occurred(reported::add);
        reports.occurred(reported::add);
        clock.pass(Duration.ofSeconds(59));
        reports.occurred(reported::add);
        assertThat(reported).containsExactly(1L);

        clock.pass(Duration.ofSeconds(1));
        reports.occurred(reported::add);
        assertThat(reported).containsExactly(1L, 3L);
    }

    @Test
    void counted_occurrences_are_reported_when_a_report_is_due_and_only_once() {
        reports.add(1);
        reports.report(reported::add);
        reports.add(2);
        reports.report(reported::add);
        clock.pass(Duration.ofMinutes(1));
        reports.report(reported::add);
        clock.pass(Duration.ofMinutes(1));
        reports.report(reported::add);

        assertThat(reported).containsExactly(1L, 2L);
    }

    @Test
    void after_the_fault_has_ended_the_next_one_is_reported_at_once() {
        reports.occurred(reported::add);
        reports.occurred(reported::add);
        reports.reset();
        reports.occurred(reported::add);

        assertThat(reported).containsExactly(1L, 1L);
    }

    @Test
    void a_report_names_the_number_of_the_others() {
        assertThat(OncePerMinute.andMore(1)).isEmpty();
        assertThat(OncePerMinute.andMore(3)).isEqualTo(" (and 2 more since the last report)");
    }
}
