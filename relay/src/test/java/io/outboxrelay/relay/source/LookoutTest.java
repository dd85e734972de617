package io.outboxrelay.relay.source;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.outboxrelay.relay.source.Source.PollSettings;
import io.outboxrelay.relay.testing.OutboxDatabase;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.random.RandomGenerator;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("server")
class LookoutTest {

    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final Duration NEVER = Duration.ofHours(1);

    private final List<Long> bounds = new CopyOnWriteArrayList<>();
    private OutboxDatabase database;
    private Lookout lookout;

    /** Records the bound of each wait after a failure, and returns at once. */
    private final class NoWaiting implements RandomGenerator {

        @Override
        public long nextLong() {
            return 0;
        }

        @Override
        public long nextLong(long bound) {
            bounds.add(Duration.ofNanos(bound).toMillis());
            return 0;
        }
    }

    @BeforeEach
    void look_out() {
        database = OutboxDatabase.withLanes(1);
        lookout = new Lookout(
                "orders",
                database.outbox(),
                new PollSettings(Duration.ofMillis(5), Duration.ofMillis(50)),
                null,
                new NoWaiting());
        lookout.start();
    }

    @AfterEach
    void stop() {
        lookout.stop();
        database.close();
    }

    // hazard 35
    @Test
    void looks_after_longer_and_longer_waits_while_it_fails_and_finds_events_at_once_afterwards() {
        database.execute("ALTER TABLE outbox RENAME TO away");
        AtomicBoolean written = new AtomicBoolean();
        CompletableFuture<Void> found = inBackground(() -> {
            do {
                lookout.await(0, 0, NEVER); // each look that fails ends it
            } while (!written.get());
        });
        await().atMost(PATIENCE).until(() -> bounds.size() >= 7);
        assertThat(bounds).startsWith(100L, 200L, 400L, 800L, 1_600L, 2_000L, 2_000L);

        database.execute("ALTER TABLE away RENAME TO outbox");
        written.set(true);
        database.write("a");

        assertThat(found).succeedsWithin(PATIENCE);
    }

    @Test
    void a_lane_that_pauses_is_not_woken_by_its_events_but_by_a_call() {
        database.write("a");
        CompletableFuture<Void> pausing = inBackground(() -> lookout.pause(0, NEVER));
        CompletableFuture<Void> waiting = inBackground(() -> lookout.await(1, 0, Duration.ofMillis(1)));
        assertThat(waiting).succeedsWithin(PATIENCE);
        assertThat(pausing).isNotDone();

        lookout.call(0);

        assertThat(pausing).succeedsWithin(PATIENCE);
    }

    @Test
    void shortly_after_events_the_next_ones_are_found_soon_however_long_the_longest_wait_is() {
        Lookout patient = new Lookout(
                "orders",
                database.outbox(),
                new PollSettings(Duration.ofMillis(1), NEVER),
                null,
                RandomGenerator.getDefault());
        patient.start();
        try {
            CompletableFuture<Void> waiting = inBackground(() -> patient.await(0, 0, NEVER));
            patient.busy();

            database.write("a");

            assertThat(waiting).succeedsWithin(PATIENCE);
        } finally {
            patient.stop();
        }
    }

    private interface Wait {
        void begin() throws InterruptedException;
    }

    private static CompletableFuture<Void> inBackground(Wait wait) {
        return CompletableFuture.runAsync(() -> {
            try {
                wait.begin();
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            }
        });
    }
}
