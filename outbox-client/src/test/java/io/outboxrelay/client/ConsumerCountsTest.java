package io.outboxrelay.client;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.UUID;
import org.junit.jupiter.api.Test;

class ConsumerCountsTest {

    private final ConsumerCounts counts = new ConsumerCounts();

    @Test
    void no_time_that_a_publisher_may_choose_ends_the_count_or_ruins_it() { // hazard 87
        for (long millis : new long[] {Long.MIN_VALUE, -210_866_803_200_000L, Long.MAX_VALUE}) {
            counts.done(at(Instant.ofEpochMilli(millis)), Fate.HANDLED, 1);
        }

        assertThat(counts.handled.get()).isEqualTo(3);
        assertThat(counts.ageMillis.get())
                .isEqualTo(ConsumerCounts.OLDEST.multipliedBy(2).toMillis());
    }

    @Test
    void an_age_is_the_time_since_the_event_and_never_below_zero() {
        Instant now = Instant.parse("2026-03-01T12:00:00Z");

        assertThat(ConsumerCounts.age(now.minusSeconds(5), now)).isEqualTo(Duration.ofSeconds(5));
        assertThat(ConsumerCounts.age(now.plusSeconds(5), now)).isZero();
    }

    private static ReceivedEvent at(Instant occurredAt) {
        return new ReceivedEvent(
                UUID.randomUUID(), "OrderPlaced", "Order", "4711", new byte[0], null, Map.of(), occurredAt, false);
    }
}
