package io.outboxrelay.client;

import static org.assertj.core.api.Assertions.assertThat;

import io.outboxrelay.client.Effects.Fault;
import io.outboxrelay.client.IdempotentConsumer.GiveUp;
import io.outboxrelay.client.Tries.Backoff;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;

class TriesTest {

    private static final Backoff BACKOFF = new Backoff(Duration.ofMillis(200), Duration.ofSeconds(10));

    private static final Throwable FAILURE = new IllegalStateException("not yet");

    private final Duration second = Duration.ofSeconds(1);
    private final Tries tries = new Tries(new ConsumerSettings(
            "billing",
            "billing.orders",
            null,
            List.of(),
            1,
            1,
            100,
            1_000_000,
            GiveUp.PARK,
            3,
            BACKOFF,
            second,
            Duration.ofMinutes(5),
            second));

    @Test
    void the_handler_s_own_failures_spend_the_attempts() {
        fail(Fault.HANDLER, 2);
        assertThat(tries.exhausted()).isFalse();
        assertThat(tries.untilNext()).isBetween(Duration.ofMillis(200), Duration.ofMillis(400));

        fail(Fault.HANDLER, 1);
        assertThat(tries.exhausted()).isTrue();
    }

    @Test
    void an_event_that_the_handler_rejects_is_given_up_at_once() {
        fail(Fault.REJECTED, 1);

        assertThat(tries.exhausted()).isTrue();
        assertThat(tries.rejected()).isTrue();
        assertThat(tries.lastWasFree()).isFalse();
    }

    @Test
    void contention_spends_nothing_for_as_long_as_the_patience_and_waits_longer() { // hazard 88
        tries.failed(Fault.CONTENTION, FAILURE, 0);
        assertThat(tries.untilNext()).isBetween(Duration.ofMillis(200), Duration.ofMillis(400));
        for (int i = 1; i < 300; i++) {
            tries.failed(Fault.CONTENTION, FAILURE, Duration.ofSeconds(i).toNanos());
            assertThat(tries.lastWasFree()).isTrue();
        }
        assertThat(tries.spent()).isZero();
        assertThat(tries.untilNext()).isBetween(Duration.ofSeconds(5), Duration.ofSeconds(10));
    }

    @Test
    void contention_that_outlasts_the_patience_spends_attempts_so_that_it_has_an_end() { // hazard 88
        tries.failed(Fault.CONTENTION, FAILURE, 0);
        for (int i = 0; i < 3; i++) {
            assertThat(tries.exhausted()).isFalse();
            tries.failed(Fault.CONTENTION, FAILURE, Duration.ofMinutes(5).toNanos() + i);
        }
        assertThat(tries.exhausted()).isTrue();
    }

    @Test
    void an_event_that_loses_its_connection_each_time_is_given_up_in_the_end() { // hazard 87
        fail(Fault.DATABASE, Tries.MAX_LOST_CONNECTIONS);
        assertThat(tries.spent()).isZero();

        fail(Fault.DATABASE, 3);
        assertThat(tries.exhausted()).isTrue();
    }

    private void fail(Fault fault, int times) {
        for (int i = 0; i < times; i++) {
            tries.failed(fault, FAILURE, 0);
        }
    }
}
