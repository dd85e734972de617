package io.outboxrelay.bench;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.List;
import org.junit.jupiter.api.Test;

class ReportTest {

    @Test
    void there_are_no_results_if_others_used_more_than_a_fifth_of_the_machine() {
        StringWriter out = new StringWriter();

        int status = Report.finish(List.of("ratio 0.9"), 0.21, false, new PrintWriter(out, true));

        assertThat(status).isEqualTo(1);
        assertThat(out.toString())
                .doesNotContain("ratio 0.9")
                .startsWith("no results: other programs used 21 % of the machine, more than 20 %");
    }

    @Test
    void a_busy_machine_is_mentioned_if_results_are_wanted_nevertheless() {
        StringWriter out = new StringWriter();

        int status = Report.finish(List.of("ratio 0.9"), 0.21, true, new PrintWriter(out, true));

        assertThat(status).isZero();
        assertThat(out.toString().lines())
                .containsExactly("BUSY MACHINE: other programs used 21 % of the machine", "ratio 0.9");
    }

    @Test
    void results_come_last() {
        StringWriter out = new StringWriter();

        int status = Report.finish(List.of("ratio 0.9"), 0.2, false, new PrintWriter(out, true));

        assertThat(status).isZero();
        assertThat(out.toString().lines()).containsExactly("other programs used 20 % of the machine", "ratio 0.9");
    }
}
