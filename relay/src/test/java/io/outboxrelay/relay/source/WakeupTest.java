package io.outboxrelay.relay.source;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.outboxrelay.relay.database.Dialect;
import io.outboxrelay.relay.database.Wakeup;
import io.outboxrelay.relay.source.Source.PollSettings;
import io.outboxrelay.relay.testing.OutboxDatabase;
import java.sql.Connection;
import java.sql.Statement;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.random.RandomGenerator;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.postgresql.PGConnection;

/** How an event that is written ends the wait for it. */
@Tag("server")
class WakeupTest {

    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final Duration NEVER = Duration.ofHours(1);

    /** For a call that is not expected: it would have come with the answer of the statement before. */
    private static final Duration SHORT = Duration.ofMillis(1);

    /** The listening connection, by its last statement. */
    private static final String LISTENER = """
            SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()
            AND (query LIKE 'LISTEN outbox%' OR query LIKE 'SELECT pg_%advisory%' OR query LIKE '%pg_trigger%')""";

    private OutboxDatabase database;
    private Wakeup wakeup;
    private Lookout lookout;

    @BeforeEach
    void install() {
        database = OutboxDatabase.withLanes(1);
        wakeup = Dialect.POSTGRESQL.wakeup("public", database.database().dataSource());
    }

    @AfterEach
    void stop() {
        if (lookout != null) {
            lookout.stop();
        }
        wakeup.close();
        database.close();
    }

    @Test
    void an_event_wakes_a_lookout_that_sleeps() {
        database.execute("SELECT outbox_wakeup(true)");
        lookOut(NEVER, NEVER);
        CompletableFuture<Void> first = events(0);
        await().atMost(PATIENCE).until(() -> listeners() == 1);
        long floor = database.write("a");
        join(first); // perhaps found by the look before the sleep

        CompletableFuture<Void> second = events(floor);
        database.write("a");
        join(second); // nothing but a call ends this sleep
    }

    // hazard 37
    @Test
    void without_calls_events_are_found_all_the_same() {
        lookOut(Duration.ofMillis(5), Duration.ofMillis(50));
        CompletableFuture<Void> first = events(0);
        await().atMost(PATIENCE).until(() -> listeners() == 1);

        long floor = database.write("a");
        join(first);

        CompletableFuture<Void> second = events(floor);
        database.write("a");
        join(second);
    }

    // hazard 37
    @Test
    void a_connection_that_was_lost_is_replaced_and_meanwhile_events_are_found_by_looking() {
        database.execute("SELECT outbox_wakeup(true)");
        lookOut(Duration.ofMillis(5), Duration.ofMillis(50));
        CompletableFuture<Void> first = events(0);
        await().atMost(PATIENCE).until(() -> listeners() == 1);
        String listener = database.value(LISTENER);

        database.execute("SELECT pg_terminate_backend(" + listener + ")");
        long floor = database.write("a");
        join(first);

        events(floor);
        await().atMost(PATIENCE)
                .until(() -> listeners() == 1 && !database.value(LISTENER).equals(listener));
    }

    // hazard 74
    @Test
    void a_connection_to_a_server_that_is_left_is_replaced_though_it_works() {
        lookOut(Duration.ofMillis(5), Duration.ofMillis(50));
        events(0);
        await().atMost(PATIENCE).until(() -> listeners() == 1);
        String listener = database.value(LISTENER);

        lookout.renew();

        await().atMost(PATIENCE)
                .until(() -> listeners() == 1 && !database.value(LISTENER).equals(listener));
    }

    @Test
    void while_the_relay_is_awake_nobody_calls_it() {
        database.execute("SELECT outbox_wakeup(true)");
        assertThat(wakeup.asleep()).as("nobody listened until now").isTrue();
        assertThat(wakeup.asleep()).isFalse();
        wakeup.awake();
        database.write("a");
        assertThat(wakeup.asleep())
                .as("an event may have been written meanwhile")
                .isTrue();

        assertThat(wakeup.await(SHORT)).isFalse();
        database.write("a");
        assertThat(wakeup.await(PATIENCE)).isTrue();
    }

    @Test
    void a_call_that_comes_when_the_relay_is_awake_already_does_not_end_its_next_sleep() {
        database.execute("SELECT outbox_wakeup(true)");
        wakeup.asleep();
        database.write("a");
        wakeup.awake();

        wakeup.asleep();

        assertThat(wakeup.await(SHORT)).isFalse();
    }

    // hazard 65
    @Test
    void without_a_relay_that_sleeps_writers_do_not_call() throws Exception {
        database.execute("SELECT outbox_wakeup(true)");
        wakeup.asleep();
        try (Connection listener = database.database().dataSource().getConnection();
                Statement statement = listener.createStatement()) {
            statement.execute("LISTEN " + database.value("SELECT 'outbox_' || 'outbox'::regclass::oid"));
            PGConnection calls = listener.unwrap(PGConnection.class);
            database.write("a");
            assertThat(calls.getNotifications((int) PATIENCE.toMillis())).hasSize(1);

            wakeup.close(); // as when its process dies
            await().atMost(PATIENCE)
                    .until(() -> database.number("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'") == 0);
            database.write("a");
            statement.execute("SELECT 1"); // a call would come with its answer

            assertThat(calls.getNotifications()).isNullOrEmpty();
        }
    }

    @Test
    void when_one_of_two_sleeping_relays_wakes_the_other_is_still_called() {
        database.execute("SELECT outbox_wakeup(true)");
        try (Wakeup other =
                Dialect.POSTGRESQL.wakeup("public", database.database().dataSource())) {
            wakeup.asleep();
            assertThat(other.asleep())
                    .as("one has the lock, and both are called")
                    .isFalse();
            database.write("a");
            assertThat(wakeup.await(PATIENCE)).isTrue();
            assertThat(other.await(PATIENCE)).isTrue();

            wakeup.awake();
            assertThat(other.asleep()).isTrue();
            database.write("a");

            assertThat(other.await(PATIENCE)).isTrue();
        }
    }

    @Test
    void whether_writers_call_is_found_out_again_and_again() {
        wakeup.asleep();
        assertThat(wakeup.isCalled()).isFalse();

        database.execute("SELECT outbox_wakeup(true)");
        wakeup.asleep();

        assertThat(wakeup.isCalled()).isTrue();
    }

    private int listeners() {
        return database.column(LISTENER).size();
    }

    private void lookOut(Duration shortest, Duration longest) {
        lookout = new Lookout(
                "orders", database.outbox(), new PollSettings(shortest, longest), wakeup, RandomGenerator.getDefault());
        lookout.start();
    }

    /** Completes once the lane is woken for events above the floor. */
    private CompletableFuture<Void> events(long floor) {
        return CompletableFuture.runAsync(() -> {
            try {
                lookout.await(0, floor, NEVER);
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            }
        });
    }

    private static void join(CompletableFuture<Void> events) {
        assertThat(events).succeedsWithin(PATIENCE);
    }
}
