package io.outboxrelay.relay.database;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.outboxrelay.relay.database.OutboxStore.Look;
import io.outboxrelay.relay.lane.Event;
import io.outboxrelay.relay.lane.LaneStore.Claim;
import io.outboxrelay.relay.testing.OutboxDatabase;
import io.outboxrelay.testservers.DatabaseKind;
import io.outboxrelay.testservers.PrivateServer;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Random;
import javax.sql.DataSource;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.springframework.jdbc.core.JdbcTemplate;

/** Up to which position everything is visible, as far as MariaDB lets us know; what WritersTest is for PostgreSQL. */
@Tag("server")
class OpenTransactionsTest {

    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final int RESTARTS = 3;

    private OutboxDatabase database;
    private OutboxStore outbox;
    private long now;

    @BeforeEach
    void install() {
        database = OutboxDatabase.withLanes(DatabaseKind.MARIADB, 1);
        outbox = database.outbox();
    }

    @AfterEach
    void drop() {
        database.close();
    }

    @Test
    void a_position_is_closed_once_it_is_committed() {
        look();
        assertThat(outbox.closed().position()).isZero();
        long first = database.write("a");

        awaitClosed(first);

        assertThat(first).isEqualTo(1);
        assertThat(outbox.closed().position()).isEqualTo(1);
    }

    // hazard 13
    @Test
    void a_position_that_is_committed_after_a_later_one_was_published_is_still_claimed() {
        try (OutboxDatabase.Transaction slow = database.begin()) {
            long early = slow.write("a");
            long late = database.write("b");
            lookOften();
            assertThat(claimAbove(0)).containsExactly(late);
            outbox.settle(
                    database.owned(0),
                    OutboxDatabase.life(outbox, database.owned(0)),
                    outbox.claim(new Claim(database.owned(0), 0, 10, 1_000, List.of()))
                            .orElseThrow()
                            .events());
            lookOften();
            assertThat(outbox.closed().position()).isLessThan(early);

            slow.commit();

            assertThat(claimAbove(outbox.closed().position())).containsExactly(early);
        }
        awaitClosed(2);
    }

    // hazard 15
    @Test
    void a_transaction_that_stays_open_holds_the_floor_and_its_session_is_named() {
        try (OutboxDatabase.Transaction slow = database.begin()) {
            long early = slow.write("a");
            database.write("b");
            await().atMost(PATIENCE).until(() -> look().longest().isPresent());
            now += Duration.ofHours(1).toNanos();
            await().atMost(PATIENCE)
                    .untilAsserted(() -> assertThat(look().longest()).get().satisfies(longest -> {
                        assertThat(longest.session())
                                .contains("in database " + database.database().name())
                                .containsPattern(", since \\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\dZ$");
                        assertThat(longest.seenFor()).isEqualTo(Duration.ofHours(1));
                    }));
            assertThat(outbox.closed().position()).isLessThan(early);
            slow.commit();
        }
        awaitClosed(2);
    }

    @Test
    void a_transaction_that_only_reads_at_first_keeps_its_name_when_it_writes() {
        try (OutboxDatabase.Transaction open = database.begin()) {
            open.execute("SELECT * FROM outbox_lane");
            database.write("b");
            lookOften();
            long mine = open.write("a");
            database.write("c");
            lookOften();

            assertThat(outbox.closed().position()).isLessThan(mine);
            open.commit();
            assertThat(claimAbove(outbox.closed().position())).contains(mine);
        }
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
                    long upTo = closed;
                    // By their positions: a range would wait for the uncommitted row behind it.
                    List<Event> settled = outbox
                            .claim(new Claim(database.owned(0), 0, 1_000, 1_000_000, List.of()))
                            .orElseThrow()
                            .events()
                            .stream()
                            .filter(event -> event.position() <= upTo)
                            .toList();
                    if (!settled.isEmpty()) {
                        outbox.settle(database.owned(0), OutboxDatabase.life(outbox, database.owned(0)), settled);
                    }
                }
            }
            assertThat(database.number("SELECT count(*) FROM outbox WHERE position <= " + closed))
                    .isZero();
        }
        open.forEach(OutboxDatabase.Transaction::close);
        awaitClosed(20);
    }

    // hazard 16
    @Test
    void an_outbox_that_was_emptied_with_its_counter_is_another_one() {
        for (int n = 0; n < 5; n++) {
            database.write("a");
        }
        assertThat(look().another()).isFalse();
        assertThat(look().another()).isFalse();

        database.execute("TRUNCATE outbox RESTART IDENTITY");

        assertThat(look().another()).isTrue();
        assertThat(look().another()).isFalse();
    }

    @Test
    void a_prepared_transaction_without_a_session_holds_the_floor_and_after_a_restart_the_outbox_is_another_one() {
        try (PrivateServer<?> server = DatabaseKind.MARIADB.startPrivate();
                OutboxDatabase own = OutboxDatabase.installedIn(server.newDatabase(), 1)) {
            OutboxStore store = own.outbox();
            assertThat(store.lookAtWriters(now).another()).isFalse();
            DataSource connections = own.database().dataSource();
            new JdbcTemplate(connections).execute((java.sql.Connection connection) -> {
                try (var statement = connection.createStatement()) {
                    statement.execute("XA START 'payment-7'");
                    statement.execute("""
                        INSERT INTO outbox (aggregate_type, aggregate_id, event_type, payload, content_type)
                        VALUES ('Order', 'a', 'OrderPlaced', '', 'text/plain')""");
                    own.write("b");
                    for (int n = 0; n < 3; n++) {
                        store.lookAtWriters(now);
                    }
                    statement.execute("XA END 'payment-7'");
                    statement.execute("XA PREPARE 'payment-7'");
                }
                return true;
            });
            for (int n = 0; n < 20; n++) {
                store.lookAtWriters(now);
                assertThat(store.closed().position()).isZero();
            }
            await().atMost(PATIENCE)
                    .untilAsserted(() -> assertThat(store.lookAtWriters(now).longest())
                            .get()
                            .satisfies(writer -> assertThat(writer.session()).contains("prepared transaction")));

            own.execute("XA COMMIT 'payment-7'");

            assertThat(claimAbove(store, own, store.closed().position())).containsExactly(1L, 2L);
            await().atMost(PATIENCE).until(() -> {
                store.lookAtWriters(now);
                return store.closed().position() == 2;
            });

            server.kill();
            server.start();
            awaitAnother(store);
        }
    }

    // hazard 16
    @Test
    void every_restart_makes_another_outbox_however_soon_it_follows_the_last_one() {
        try (PrivateServer<?> server = DatabaseKind.MARIADB.startPrivate();
                OutboxDatabase own = OutboxDatabase.installedIn(server.newDatabase(), 1)) {
            OutboxStore store = own.outbox();
            store.lookAtWriters(now);
            for (int n = 0; n < RESTARTS; n++) {
                server.kill();
                server.start();
                awaitAnother(store);
                assertThat(store.lookAtWriters(now).another()).isFalse();
            }
        }
    }

    @Test
    void without_the_privilege_process_nothing_is_closed_and_everything_else_works() {
        OutboxStore relay = database.outbox(database.loginWithOnly("outbox_relay"), 1_000);
        database.execute(
                "REVOKE PROCESS ON *.* FROM login_" + database.database().name());
        OutboxStore unprivileged = database.outbox(
                database.database().dataSource("login_" + database.database().name(), "secret"), 1_000);
        database.write("a");
        for (int n = 0; n < 10; n++) {
            assertThat(unprivileged.lookAtWriters(now).another()).isFalse();
            assertThat(unprivileged.closed().position()).isZero();
        }
        assertThat(claimAbove(unprivileged, database, 0)).hasSize(1);
        assertThat(relay.closed().position()).isZero();

        database.execute("TRUNCATE outbox RESTART IDENTITY");

        assertThat(unprivileged.lookAtWriters(now).another()).isTrue();
        assertThat(unprivileged.lookAtWriters(now).another()).isFalse();
        database.dropLogin();
    }

    /** The first checks find broken connections. */
    private void awaitAnother(OutboxStore store) {
        assertThat(await().atMost(PATIENCE).ignoreExceptions().until(() -> store.lookAtWriters(now), Look::another))
                .isNotNull();
    }

    private Look look() {
        return outbox.lookAtWriters(now);
    }

    private void lookOften() {
        for (int n = 0; n < 5; n++) {
            look();
        }
    }

    /** A check is useless while others read the list of transactions too often, as other tests do. */
    private void awaitClosed(long position) {
        await().atMost(PATIENCE).until(() -> {
            look();
            return outbox.closed().position() >= position;
        });
    }

    private List<Long> claimAbove(long floor) {
        return claimAbove(outbox, database, floor);
    }

    private static List<Long> claimAbove(OutboxStore store, OutboxDatabase where, long floor) {
        return store.claim(new Claim(where.owned(0), floor, 100, 100_000, List.of())).orElseThrow().events().stream()
                .map(Event::position)
                .toList();
    }
}
