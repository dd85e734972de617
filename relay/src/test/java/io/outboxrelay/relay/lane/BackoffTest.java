package io.outboxrelay.relay.lane;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.random.RandomGenerator;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class BackoffTest {

    private static final Backoff BACKOFF = new Backoff(Duration.ofMillis(100), Duration.ofSeconds(2));

    /** Draws the largest number that it may. */
    private static final class Most implements RandomGenerator {

        @Override
        public long nextLong() {
            return Long.MAX_VALUE;
        }

        @Override
        public long nextLong(long bound) {
            return bound - 1;
        }
    }

    @Test
    void the_longest_wait_doubles_with_each_failure_up_to_a_bound() {
        assertThat(IntStream.of(1, 2, 3, 4, 5, 6, 7, Integer.MAX_VALUE)
                        .mapToLong(
                                failures -> BACKOFF.after(failures, new Most()).toMillis()))
                .containsExactly(100L, 200L, 400L, 800L, 1_600L, 2_000L, 2_000L, 2_000L);
    }

    @Test
    void a_long_first_wait_does_not_overflow() {
        Duration days = Duration.ofDays(50_000);

        assertThat(new Backoff(days, days).after(Integer.MAX_VALUE, new Most())).isEqualTo(days);
    }

    @Test
    void any_shorter_wait_is_as_likely() {
        assertThat(BACKOFF.after(7, () -> 0)).isZero();
    }
}
