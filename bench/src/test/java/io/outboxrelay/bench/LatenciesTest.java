package io.outboxrelay.bench;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.stream.DoubleStream;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class LatenciesTest {

    @Test
    void a_quantile_is_the_shortest_time_that_so_many_events_do_not_exceed() {
        Latencies latencies = Latencies.of(IntStream.rangeClosed(1, 200).mapToDouble(number -> 201 - number));

        assertThat(latencies.quantile(0.5)).isEqualTo(100);
        assertThat(latencies.quantile(0.99)).isEqualTo(198);
        assertThat(latencies.quantile(1)).isEqualTo(200);
    }

    @Test
    void a_single_event_has_all_quantiles() {
        assertThat(Latencies.of(DoubleStream.of(7)).quantile(0.01)).isEqualTo(7);
    }
}
