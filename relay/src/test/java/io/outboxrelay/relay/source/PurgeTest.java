package io.outboxrelay.relay.source;

import static org.assertj.core.api.Assertions.assertThat;

import io.outboxrelay.relay.database.OutboxStore.Retention;
import io.outboxrelay.relay.testing.LogLines;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Collections;
import java.util.Deque;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class PurgeTest {

    private static final Retention BUSY = new Retention(0, 0, true);
    private static final Retention NOTHING_TO_DO = new Retention(0, 0, false);

    private final Deque<Retention> results = new ArrayDeque<>();
    private final Purge purge = new Purge("orders", Duration.ofHours(24), keep -> results.remove());
    private final LogLines log = new LogLines(Purge.class.getName());

    @AfterEach
    void closeLog() {
        log.close();
    }

    @Test
    void a_purge_that_others_prevent_for_long_is_warned_of_and_again_after_as_long() {
        for (int round = 1; round <= 2; round++) {
            run(Collections.nCopies(Purge.WARNED_AFTER - 1, BUSY));
            assertThat(log.complaints("outbox_published")).hasSize(round - 1);
            run(List.of(BUSY));
            assertThat(log.complaints("outbox_published")).hasSize(round);
        }
    }

    @Test
    void one_purge_that_nobody_prevents_ends_the_count() {
        run(Collections.nCopies(Purge.WARNED_AFTER - 1, BUSY));
        run(List.of(NOTHING_TO_DO, BUSY));

        assertThat(log.complaints("outbox_published")).isEmpty();
    }

    @Test
    void a_purge_continues_while_there_is_more_to_delete() {
        results.addAll(
                List.of(new Retention(0, Retention.MOST_ROWS, false), new Retention(2, 0, false), NOTHING_TO_DO));

        purge.run();

        assertThat(results).isEmpty();
    }

    @Test
    void lanes_start_when_today_has_its_place_or_after_five_attempts() {
        results.addAll(Collections.nCopies(5, BUSY));
        for (int attempt = 1; attempt < 5; attempt++) {
            assertThat(purge.prepare()).isFalse();
        }
        assertThat(purge.prepare()).isTrue();
        assertThat(purge.prepare()).as("without another attempt").isTrue();

        Purge atOnce = new Purge("orders", Duration.ofHours(24), keep -> NOTHING_TO_DO);
        assertThat(atOnce.prepare()).isTrue();
    }

    private void run(List<Retention> purges) {
        results.addAll(purges);
        purges.forEach(purge -> this.purge.run());
    }
}
