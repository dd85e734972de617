package io.outboxrelay.relay.source;

import static org.assertj.core.api.Assertions.assertThat;

import io.outboxrelay.relay.database.OutboxStore.Retention;
import org.junit.jupiter.api.Test;

class BusyRetentionTest {

    private static final Retention BUSY = new Retention(0, 0, true);

    private final BusyRetention retention = new BusyRetention();

    @Test
    void being_kept_from_it_for_long_is_warned_of_and_again_after_as_long() {
        for (int round = 1; round <= 2; round++) {
            for (int attempt = 1; attempt < BusyRetention.SAID_AFTER; attempt++) {
                assertThat(retention.after(BUSY)).isEmpty();
            }
            assertThat(retention.after(BUSY))
                    .hasValueSatisfying(warning -> assertThat(warning).contains("outbox_published"));
        }
    }

    @Test
    void one_attempt_that_was_not_kept_from_it_ends_the_count() {
        for (int attempt = 1; attempt < BusyRetention.SAID_AFTER; attempt++) {
            retention.after(BUSY);
        }
        retention.after(new Retention(1, 0, false));

        assertThat(retention.after(BUSY)).isEmpty();
    }
}
