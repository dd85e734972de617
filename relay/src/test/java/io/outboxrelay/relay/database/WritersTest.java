package io.outboxrelay.relay.database;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.outboxrelay.relay.database.OutboxStore.Look;
import io.outboxrelay.relay.lane.Event;
import io.outboxrelay.relay.lane.LaneStore.Claim;
import io.outboxrelay.relay.lane.LaneStore.OwnedLane;
import io.outboxrelay.relay.lane.WriterWatch.Writer;
import io.outboxrelay.relay.testing.OutboxDatabase;
import io.outboxrelay.testservers.Postgres;
import io.outboxrelay.testservers.PrivateServer;
import io.outboxrelay.testservers.Servers;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Up to which position everything is visible, as far as the database decides it. */
@Tag("server")
class WritersTest {

    private OutboxDatabase database;
    private OutboxStore outbox;
    private long now;

    @BeforeEach
    void install() {
        database = OutboxDatabase.withLanes(1);
        outbox = database.outbox();
    }

    @AfterEach
    void drop() {
        database.close();
    }

    @Test
    void nothing_is_closed_before_anything_was_written() {
        look();

        assertThat(outbox.closed().position()).isZero();
    }

    @Test
    void the_first_position_is_closed_once_it_is_committed() {
        long first = database.write("a");
        look();

        assertThat(first).isEqualTo(1);
        assertThat(outbox.closed().position()).isEqualTo(1);
    }

    // hazard 13
    @Test
    void a_position_that_is_committed_after_a_later_one_was_published_is_still_claimed() {
        try (OutboxDatabase.Transaction slow = database.begin()) {
            long early = slow.write("a");
            long late = database.write("b");
            look();
            assertThat(claimAbove(0)).containsExactly(late);
            outbox.settle(
                    database.owned(0),
                    OutboxDatabase.life(outbox, database.owned(0)),
                    outbox.claim(new Claim(database.owned(0), 0, 10, 1_000, List.of()))
                            .orElseThrow()
                            .events());
            look();
            assertThat(outbox.closed().position()).isLessThan(early);

            slow.commit();

            assertThat(claimAbove(outbox.closed().position())).containsExactly(early);
        }
        look();
        assertThat(outbox.closed().position()).isEqualTo(2);
    }

    // hazard 14
    @Test
    void positions_that_were_rolled_back_stall_nothing() {
        try (OutboxDatabase.Transaction rolledBack = database.begin()) {
            rolledBack.write("a");
        }
        try (OutboxDatabase.Transaction partly = database.begin()) {
            partly.write("b");
            partly.execute("SAVEPOINT before");
            partly.write("b");
            partly.execute("ROLLBACK TO before");
            partly.commit();
        }
        look();

        assertThat(outbox.closed().position()).isEqualTo(3);
        assertThat(claimAbove(0)).containsExactly(2L);
    }

    @Test
    void a_position_of_a_rolled_back_savepoint_still_counts_as_the_open_transactions_own() {
        try (OutboxDatabase.Transaction open = database.begin()) {
            open.execute("SAVEPOINT before");
            open.write("a");
            open.execute("ROLLBACK TO before");
            look();
            look();

            long again = open.write("a");
            look();
            assertThat(outbox.closed().position()).isLessThan(again);
            open.commit();
            assertThat(claimAbove(outbox.closed().position())).containsExactly(again);
        }
    }

    // hazard 15
    @Test
    void a_transaction_that_stays_open_holds_the_floor_for_ever_and_its_session_is_named() {
        try (OutboxDatabase.Transaction slow = database.begin()) {
            slow.execute("SET application_name = 'month-end'");
            long early = slow.write("a");
            look();
            for (int n = 0; n < 20; n++) {
                database.write("b");
                now += Duration.ofHours(1).toNanos();
                Writer longest = look().longest().orElseThrow();
                assertThat(outbox.closed().position()).isLessThan(early);
                assertThat(longest.session())
                        .contains("application \"month-end\"")
                        .contains("user " + database.database().user())
                        .containsPattern(", since \\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\dZ$");
                assertThat(longest.seenFor()).isEqualTo(Duration.ofHours(n + 1));
            }
            slow.commit();
            assertThat(claimAbove(outbox.closed().position())).hasSize(21).startsWith(early);
        }
        look();
        assertThat(outbox.closed().position()).isEqualTo(21);
        assertThat(look().longest()).isEmpty();
    }

    @Test
    void a_writer_that_holds_the_lock_and_has_taken_no_position_yet_counts() {
        try (OutboxDatabase.Transaction open = database.begin()) {
            open.execute("LOCK TABLE outbox IN ROW EXCLUSIVE MODE");
            long other = database.write("b");
            look();

            assertThat(outbox.closed().position()).isLessThan(other);
            open.commit();
        }
        look();
        assertThat(outbox.closed().position()).isEqualTo(1);
    }

    @Test
    void transactions_that_do_not_write_to_the_outbox_hold_nothing_back() {
        database.execute("CREATE TABLE other (n int)");
        try (OutboxDatabase.Transaction reader = database.begin();
                OutboxDatabase.Transaction writerOfAnother = database.begin()) {
            reader.execute("SELECT * FROM outbox");
            writerOfAnother.execute("INSERT INTO other VALUES (1)");
            long written = database.write("a");
            look();

            assertThat(outbox.closed().position()).isEqualTo(written);
        }
    }

    @Test
    void new_writers_that_overlap_for_ever_do_not_hold_back_what_was_there_before_them() {
        Deque<OutboxDatabase.Transaction> open = new ArrayDeque<>();
        for (int n = 0; n < 12; n++) {
            OutboxDatabase.Transaction next = database.begin();
            next.write(n);
            open.add(next);
            look();
            if (open.size() == 3) {
                OutboxDatabase.Transaction oldest = open.remove();
                oldest.commit();
                oldest.close();
            }
        }
        assertThat(outbox.closed().position()).isGreaterThan(4);
        open.forEach(OutboxDatabase.Transaction::close);
    }

    // hazards 13, 14, 15
    @Test
    void whatever_writers_do_nothing_appears_at_or_below_the_closed_position() {
        Random random = new Random(11);
        Deque<OutboxDatabase.Transaction> open = new ArrayDeque<>();
        long closed = 0;
        for (int n = 0; n < 150; n++) {
            switch (random.nextInt(5)) {
                case 0, 1 -> {
                    OutboxDatabase.Transaction next = database.begin();
                    next.write(n);
                    open.add(next);
                }
                case 2 -> {
                    if (!open.isEmpty()) {
                        open.peekFirst().write(n);
                        open.add(open.removeFirst());
                    }
                }
                case 3 -> {
                    if (!open.isEmpty()) {
                        OutboxDatabase.Transaction ending =
                                random.nextBoolean() ? open.removeFirst() : open.removeLast();
                        if (random.nextInt(3) > 0) {
                            ending.commit();
                        }
                        ending.close();
                    }
                }
                default -> {
                    look();
                    closed = outbox.closed().position();
                    // Everything that is visible up to the closed position is settled: nothing may appear there again.
                    database.execute("DELETE FROM outbox WHERE position <= " + closed);
                }
            }
            assertThat(database.number("SELECT count(*) FROM outbox WHERE position <= " + closed))
                    .isZero();
        }
        open.forEach(OutboxDatabase.Transaction::close);
        look();
        look();
        assertThat(outbox.closed().position()).isGreaterThan(20);
    }

    // hazard 16
    @Test
    void after_a_restarted_sequence_the_outbox_is_another_one_also_when_it_has_overtaken_the_old_position_already() {
        for (int n = 0; n < 5; n++) {
            database.write("a");
        }
        assertThat(look().another()).isFalse();
        assertThat(look().another()).isFalse();

        database.execute("TRUNCATE outbox RESTART IDENTITY");
        for (int n = 0; n < 9; n++) {
            database.write("a");
        }

        assertThat(look().another()).isTrue();
        assertThat(look().another()).isFalse();
    }

    // hazard 16
    @Test
    void another_outbox_is_told_by_the_next_look_when_this_one_fails_half_way() {
        OutboxStore relay = database.outbox(database.loginWithOnly("outbox_relay"), 1_000);
        database.write("a");
        relay.lookAtWriters(now);
        database.execute("TRUNCATE outbox RESTART IDENTITY");

        database.execute("REVOKE SELECT ON pg_locks FROM PUBLIC");
        assertThatThrownBy(() -> relay.lookAtWriters(now)).hasMessageContaining("pg_locks");
        database.execute("GRANT SELECT ON pg_locks TO PUBLIC");

        assertThat(relay.lookAtWriters(now).another()).isTrue();
        database.dropLogin();
    }

    // hazard 66
    @Test
    void rows_that_are_hidden_from_the_relay_are_an_error_and_no_empty_outbox() {
        database.write("a");
        OutboxStore relay = database.outbox(database.loginWithOnly("outbox_relay"), 1_000);
        OwnedLane owned = relay.acquire("relay", 1, Duration.ofHours(1)).get(0);
        try {
            database.execute("ALTER TABLE outbox ENABLE ROW LEVEL SECURITY");

            assertThatThrownBy(() -> relay.claim(new Claim(owned, 0, 10, 1_000, List.of())))
                    .hasStackTraceContaining("row-level security policy");
            assertThatThrownBy(() -> relay.backlog(Map.of(0, 0L))).hasStackTraceContaining("row-level security policy");

            database.execute("ALTER TABLE outbox DISABLE ROW LEVEL SECURITY");
            assertThat(relay.claim(new Claim(owned, 0, 10, 1_000, List.of()))
                            .orElseThrow()
                            .events())
                    .hasSize(1);
        } finally {
            database.dropLogin();
        }
    }

    // hazard 82: what a session has taken in advance may appear at any time, also after the sequence was altered back.
    @ParameterizedTest
    @CsvSource({
        "SET CACHE 50, caches 50 positions in each session",
        "SET INCREMENT BY -1, counts by -1",
        "SET CYCLE, begins again at its end"
    })
    void positions_that_may_appear_late_keep_the_floor_down_for_good(String alteration, String reason) {
        long written = database.write("a");
        look();
        assertThat(outbox.closed().position()).isEqualTo(written);

        database.execute("ALTER TABLE outbox ALTER COLUMN position " + alteration);

        assertThat(look().unreliable()).contains(reason);
        assertThat(outbox.closed().position()).isZero();
        database.execute("ALTER TABLE outbox ALTER COLUMN position SET CACHE 1 SET INCREMENT BY 1 SET NO CYCLE");
        assertThat(look().unreliable()).contains(reason);
        assertThat(outbox.closed().position()).isZero();
    }

    // hazard 16
    @Test
    void after_a_sequence_that_was_set_back_nothing_above_it_is_closed() {
        for (int n = 0; n < 5; n++) {
            database.write("a");
        }
        look();
        database.execute("DELETE FROM outbox");
        database.execute("SELECT setval('outbox_position_seq', 2)");

        assertThat(look().another()).isTrue();

        assertThat(outbox.closed().position()).isEqualTo(2);
        assertThat(claimAbove(outbox.closed().position())).isEmpty();
        long next = database.write("a");
        assertThat(claimAbove(outbox.closed().position())).containsExactly(next);
    }

    @Test
    void a_transaction_that_is_prepared_holds_the_floor_and_after_a_restart_the_outbox_is_another_one() {
        try (PrivateServer<Postgres> server = Servers.startPrivatePostgres();
                OutboxDatabase own = OutboxDatabase.installedIn(server.newDatabase(), 1)) {
            own.execute("ALTER SYSTEM SET max_prepared_transactions = 5");
            server.stop();
            server.start();
            OutboxStore store = own.outbox();
            assertThat(store.lookAtWriters(now).another()).isFalse();
            long early;
            try (OutboxDatabase.Transaction slow = own.begin()) {
                early = slow.write("a");
                own.write("b");
                store.lookAtWriters(now);
                slow.execute("PREPARE TRANSACTION 'payment-7'");
            }
            for (int n = 0; n < 3; n++) {
                Look look = store.lookAtWriters(now);
                assertThat(store.closed().position()).isLessThan(early);
                assertThat(look.longest().orElseThrow().session()).contains("a prepared transaction");
            }

            own.execute("COMMIT PREPARED 'payment-7'");

            assertThat(store.claim(new Claim(own.owned(0), store.closed().position(), 10, 1_000, List.of()))
                            .orElseThrow()
                            .events())
                    .extracting(Event::position)
                    .startsWith(early);
            store.lookAtWriters(now);
            assertThat(store.closed().position()).isEqualTo(2);

            server.kill();
            server.start();
            store.heartbeat("relay", Duration.ofHours(1)); // which names the server's new life
            assertThat(store.lookAtWriters(now).another()).isTrue();
        }
    }

    private Look look() {
        return outbox.lookAtWriters(now);
    }

    private List<Long> claimAbove(long floor) {
        return outbox
                .claim(new Claim(database.owned(0), floor, 100, 100_000, List.of()))
                .orElseThrow()
                .events()
                .stream()
                .map(Event::position)
                .toList();
    }
}
