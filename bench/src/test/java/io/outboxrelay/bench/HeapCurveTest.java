package io.outboxrelay.bench;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

class HeapCurveTest {

    private static final long MEGABYTE = 1024 * 1024;

    @Test
    void a_heap_that_goes_up_and_down_is_flat() {
        assertThat(curve(20, 22, 21, 22, 21).verdict()).isEqualTo("flat=yes first_half_mb=22.0 second_half_mb=22.0");
    }

    @Test
    void a_heap_that_grows_with_the_events_is_not_flat() {
        assertThat(curve(20, 22, 24, 26, 28).verdict()).isEqualTo("flat=no first_half_mb=22.0 second_half_mb=28.0");
    }

    private static HeapCurve curve(long... megabytes) {
        return new HeapCurve(
                LongStream.of(megabytes).mapToObj(size -> size * MEGABYTE).toList());
    }
}
