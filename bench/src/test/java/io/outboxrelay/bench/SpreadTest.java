package io.outboxrelay.bench;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

class SpreadTest {

    @Test
    void has_median_least_and_greatest_of_values_in_any_order() {
        assertThat(Spread.of(List.of(3.0, 1.0, 2.0))).isEqualTo(new Spread(2, 1, 3));
    }

    @Test
    void the_median_of_an_even_number_lies_between_the_two_in_the_middle() {
        assertThat(Spread.of(List.of(4.0, 1.0, 2.0, 3.0)).median()).isEqualTo(2.5);
    }

    @Test
    void can_be_read_by_a_script() {
        assertThat(new Spread(0.926, 0.9, 0.954).text("%.2f")).isEqualTo("0.93 (0.90..0.95)");
    }
}
