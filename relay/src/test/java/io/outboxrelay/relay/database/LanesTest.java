package io.outboxrelay.relay.database;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.outboxrelay.relay.database.OutboxStore.Backlog;
import io.outboxrelay.relay.database.OutboxStore.Members;
import io.outboxrelay.relay.lane.LaneStore.Changes;
import io.outboxrelay.relay.lane.LaneStore.Claim;
import io.outboxrelay.relay.lane.LaneStore.Claimed;
import io.outboxrelay.relay.lane.LaneStore.OwnedLane;
import io.outboxrelay.relay.testing.OutboxDatabase;
import io.outboxrelay.schema.OutboxSchema;
import io.outboxrelay.testservers.DatabaseKind;
import java.lang.reflect.Method;
import java.time.Duration;
import java.time.temporal.Temporal;
import java.util.Arrays;
import java.util.Collection;
import java.util.Date;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.MethodSource;

/** Leases, heartbeats and what else a relay keeps in the database. */
@ParameterizedClass
@MethodSource("io.outboxrelay.testservers.DatabaseKind#here")
@Tag("server")
class LanesTest {

    @Parameter
    DatabaseKind kind;

    private static final Duration LONG = Duration.ofMinutes(10);
    private static final Duration ENDED = Duration.ofMillis(-1);

    private OutboxDatabase database;
    private OutboxStore outbox;

    @BeforeEach
    void install() {
        database = OutboxDatabase.withLanes(kind, 8);
        outbox = database.outbox();
    }

    @AfterEach
    void drop() {
        database.close();
    }

    @Test
    void takes_free_lanes_and_never_more_than_asked_for() {
        for (String statistics : kind.isInnoDb()
                ? List.of("ANALYZE TABLE outbox_lane")
                : List.of("VACUUM outbox_lane", "VACUUM ANALYZE outbox_lane")) {
            database.execute("UPDATE outbox_lane SET owner = NULL, lease_until = NULL");
            database.execute(statistics);

            assertThat(outbox.acquire("one", 3, LONG))
                    .extracting(OwnedLane::lane)
                    .containsExactlyInAnyOrder(0, 1, 2);
            assertThat(outbox.acquire("two", 8, LONG))
                    .extracting(OwnedLane::lane)
                    .containsExactlyInAnyOrder(3, 4, 5, 6, 7);
            assertThat(outbox.acquire("three", 8, LONG)).isEmpty();
            assertThat(database.number("SELECT count(*) FROM outbox_lane WHERE owner = 'one'"))
                    .isEqualTo(3);
        }
    }

    @Test
    void a_lease_that_ran_out_is_taken_over_under_a_higher_epoch_and_the_old_owner_can_neither_renew_nor_release_it() {
        OwnedLane before = outbox.acquire("old", 1, ENDED).get(0);

        OwnedLane after = outbox.acquire("new", 1, LONG).get(0);

        assertThat(after.lane()).isEqualTo(before.lane());
        assertThat(after.epoch()).isEqualTo(before.epoch() + 1);
        assertThat(outbox.renew("old", List.of(before.lane()), LONG)).isEmpty();
        assertThat(outbox.release(before)).isFalse();
        assertThat(outbox.renew("new", List.of(after.lane()), LONG)).containsExactly(after);
    }

    @Test
    void an_owner_that_took_its_lane_again_cannot_release_it_under_the_old_epoch() {
        OwnedLane before = outbox.acquire("one", 1, ENDED).get(0);
        OwnedLane after = outbox.acquire("one", 1, LONG).get(0);

        assertThat(outbox.release(before)).isFalse();
        assertThat(outbox.release(after)).isTrue();
    }

    // hazard 81
    @Test
    void whoever_has_the_same_lane_and_epoch_under_another_name_claims_and_writes_nothing() {
        OwnedLane ours = outbox.acquire("one#1", 1, LONG).get(0);
        OwnedLane formerly = new OwnedLane(ours.lane(), "one#0", ours.epoch());
        database.write("a");

        assertThat(outbox.claim(new Claim(formerly, 0, 10, 1_000, List.of()))).isEmpty();
        assertThat(outbox.blocked(formerly)).isEmpty();
        assertThat(outbox.keep(
                        formerly, OutboxDatabase.life(outbox, ours), new Changes(List.of(), List.of(), List.of())))
                .isEmpty();
        assertThat(outbox.resume(formerly)).isZero();
        assertThat(outbox.release(formerly)).isFalse();
        assertThat(outbox.renew("one#0", List.of(ours.lane()), LONG)).isEmpty();

        assertThat(outbox.claim(new Claim(ours, 0, 10, 1_000, List.of()))).isPresent();
        assertThat(outbox.blocked(ours)).isPresent();
    }

    @Test
    void an_owner_whose_lane_was_taken_claims_nothing_even_where_its_lease_is_still_trusted() {
        OwnedLane before = outbox.acquire("old", 1, ENDED).get(0);
        OwnedLane after = outbox.acquire("new", 1, LONG).get(0);

        assertThat(outbox.claim(new Claim(before, 0, 10, 1_000, List.of()))).isEmpty();
        assertThat(outbox.claim(new Claim(after, 0, 10, 1_000, List.of()))).isPresent();
    }

    // hazard 80
    @Test
    void tables_that_were_restored_are_another_life_even_in_the_same_run_of_the_server() {
        assumeTrue(kind == DatabaseKind.POSTGRESQL, "MariaDB and MySQL have nothing in a table that would tell");
        OwnedLane owned = outbox.acquire("one", 1, LONG).get(0);
        Claim claim = new Claim(owned, 0, 10, 1_000, List.of());
        Claimed before = outbox.claim(claim).orElseThrow();

        database.execute("ALTER TABLE outbox_incarnation RENAME TO dumped");
        database.execute("CREATE UNLOGGED TABLE outbox_incarnation (LIKE dumped INCLUDING ALL)");
        database.execute("INSERT INTO outbox_incarnation SELECT * FROM dumped");
        database.execute("GRANT SELECT, INSERT ON outbox_incarnation TO outbox_relay");

        Claimed after = outbox.claim(claim).orElseThrow();
        assertThat(after.incarnation().continues(before.incarnation())).isFalse();
        assertThat(outbox.claim(claim).orElseThrow().incarnation().continues(after.incarnation()))
                .isTrue();
    }

    @Test
    void after_the_clock_went_back_nobody_waits_for_the_end_of_leases_and_lives_from_the_future() {
        outbox.acquire("dead", 8, LONG);
        outbox.heartbeat("dead", LONG);
        database.execute("UPDATE outbox_lane SET lease_from = '2099-01-01', lease_until = '2099-01-02'");
        database.execute("UPDATE outbox_instance SET alive_from = '2099-01-01', alive_until = '2099-01-02'");

        assertThat(outbox.heartbeat("one", LONG).relays()).isEqualTo(1);
        assertThat(outbox.acquire("one", 8, LONG)).hasSize(8);
        assertThat(database.column("SELECT instance FROM outbox_instance")).containsExactly("one");
    }

    // hazard 67
    @Test
    void events_at_or_below_a_floor_are_counted_by_lane() {
        long first = database.write("a");
        database.write("a");
        int lane = (int) database.number("SELECT DISTINCT lane FROM outbox");

        assertThat(outbox.belowFloors(Map.of(lane, first - 1))).isEmpty();
        assertThat(outbox.belowFloors(Map.of(lane, first, (lane + 1) % 8, 1_000L)))
                .isEqualTo(Map.of(lane, 1L));
        assertThat(outbox.belowFloors(Map.of(lane, first + 1))).isEqualTo(Map.of(lane, 2L));
        assertThat(outbox.belowFloors(Map.of())).isEmpty();
    }

    @Test
    void a_lease_that_is_renewed_is_not_taken_over() {
        List<OwnedLane> owned = outbox.acquire("one", 8, ENDED);
        assertThat(outbox.renew("one", List.of(0, 1), LONG)).hasSize(2);

        assertThat(outbox.acquire("two", 8, LONG)).hasSize(6).noneMatch(lane -> lane.lane() < 2);
        assertThat(owned).hasSize(8);
    }

    @Test
    void a_lane_that_was_given_back_is_free_at_once() {
        OwnedLane lane = outbox.acquire("one", 1, LONG).get(0);

        assertThat(outbox.release(lane)).isTrue();

        assertThat(outbox.acquire("two", 1, LONG)).containsExactly(new OwnedLane(lane.lane(), "two", lane.epoch() + 1));
    }

    // hazard 24
    @Test
    void two_relays_that_race_for_lanes_never_both_own_one() throws Exception {
        ExecutorService relays = Executors.newFixedThreadPool(2);
        try {
            for (int round = 0; round < 100; round++) {
                database.execute(
                        round % 2 == 0
                                ? "UPDATE outbox_lane SET owner = NULL, lease_until = NULL"
                                : "UPDATE outbox_lane SET lease_until = clock_timestamp() - interval '1 ms'"
                                        + " WHERE owner IS NOT NULL");
                List<Future<List<OwnedLane>>> races = Stream.of("one", "two")
                        .map(relay -> relays.submit(() -> outbox.acquire(relay, 5, LONG)))
                        .toList();
                List<OwnedLane> one = races.get(0).get();
                List<OwnedLane> two = races.get(1).get();

                assertThat(one).hasSizeLessThanOrEqualTo(5).doesNotContainAnyElementsOf(two);
                assertThat(two).hasSizeLessThanOrEqualTo(5);
                assertThat(Stream.of(one, two).flatMap(Collection::stream).map(OwnedLane::lane))
                        .doesNotHaveDuplicates()
                        .hasSizeGreaterThanOrEqualTo(5);
                assertThat(outbox.renew("one", List.of(0, 1, 2, 3, 4, 5, 6, 7), LONG))
                        .containsExactlyInAnyOrderElementsOf(one);
            }
        } finally {
            relays.shutdownNow();
        }
    }

    @Test
    void counts_the_relays_that_are_alive_and_forgets_those_that_are_long_gone() {
        assertThat(outbox.heartbeat("one", LONG).relays()).isEqualTo(1);
        assertThat(outbox.heartbeat("two", ENDED).relays())
                .as("one and itself, although its own time is over")
                .isEqualTo(2);
        assertThat(outbox.heartbeat("three", LONG).relays()).isEqualTo(2);
        database.execute("INSERT INTO outbox_instance (instance, alive_until)"
                + " VALUES ('gone', clock_timestamp() - interval '2 hours')");
        assertThat(outbox.heartbeat("one", LONG).relays()).isEqualTo(2);
        assertThat(database.column("SELECT instance FROM outbox_instance ORDER BY 1"))
                .containsExactly("one", "three", "two");

        outbox.goodbye("three");

        assertThat(outbox.heartbeat("one", LONG).relays()).isEqualTo(1);
    }

    @Test
    void a_copy_of_a_database_is_another_life_of_the_server() {
        assumeTrue(kind == DatabaseKind.POSTGRESQL, "only PostgreSQL copies databases");
        try (OutboxDatabase copy = OutboxDatabase.withLanes(kind, 8)) {
            String name = "SELECT name || '/' || tableoid FROM outbox_incarnation";
            assertThat(copy.value(name)).as("both are copies of one").isEqualTo(database.value(name));

            assertThat(OutboxDatabase.life(copy.outbox(), copy.owned(0)))
                    .isNotEqualTo(OutboxDatabase.life(outbox, database.owned(0)));
        }
    }

    @Test
    void says_which_lanes_have_events_above_their_floors() {
        for (int n = 0; n < 40; n++) {
            database.write(n);
        }
        long last = database.number("SELECT max(position) FROM outbox WHERE lane = 3");

        assertThat(outbox.lanesWithEvents(Map.of(2, 0L, 3, last - 1, 4, 1_000L)))
                .isEqualTo(Set.of(2, 3));
        assertThat(outbox.lanesWithEvents(Map.of(3, last))).isEmpty();
    }

    @Test
    void counts_the_backlog_above_the_floors_and_the_age_of_its_oldest_event() {
        assertThat(outbox.backlog(Map.of())).isEqualTo(new Backlog(0, 0));
        assertThat(outbox.backlog(Map.of(0, 0L, 1, 0L))).isEqualTo(new Backlog(0, 0));
        for (int n = 0; n < 40; n++) {
            database.write(n);
        }
        database.execute("UPDATE outbox SET occurred_at = clock_timestamp() - interval '90 seconds' WHERE lane = 5");

        Backlog some = outbox.backlog(Map.of(2, 0L, 5, 0L));

        assertThat(some.events()).isEqualTo(database.number("SELECT count(*) FROM outbox WHERE lane IN (2, 5)"));
        assertThat(some.lagSeconds()).isBetween(90.0, 3_600.0);
    }

    @Test
    void an_event_that_says_it_occurs_in_the_future_makes_no_negative_lag() {
        database.execute("""
            INSERT INTO outbox (aggregate_type, aggregate_id, event_type, payload, content_type, occurred_at)
            VALUES ('Order', '1', 'OrderPlaced', '', 'text/plain', clock_timestamp() + interval '1 hour')\
            """);
        Map<Integer, Long> all = Map.of(0, 0L, 1, 0L, 2, 0L, 3, 0L, 4, 0L, 5, 0L, 6, 0L, 7, 0L);

        assertThat(outbox.backlog(all)).isEqualTo(new Backlog(1, 0));
    }

    @Test
    void knows_the_version_of_the_tables_and_the_number_of_lanes() {
        assertThat(outbox.schemaVersion()).hasValue(OutboxSchema.VERSION);
        assertThat(outbox.heartbeat("one", LONG).lanes()).isEqualTo(8);
        database.execute(
                kind.isInnoDb()
                        ? "DROP VIEW outbox_schema_version"
                        : "DROP SCHEMA public CASCADE; CREATE SCHEMA public");
        assertThat(outbox.schemaVersion()).isEmpty();
    }

    @Test
    void a_user_who_has_nothing_but_the_relays_role_can_do_everything() {
        OutboxStore asRelay = database.outbox(database.loginWithOnly("outbox_relay"), 1_000);
        try (OutboxDatabase.Transaction writer = database.begin()) {
            if (kind == DatabaseKind.POSTGRESQL) {
                writer.execute("SET application_name = 'month-end'");
            }
            writer.write("a");
            assertThat(asRelay.schemaVersion()).hasValue(OutboxSchema.VERSION);
            if (kind == DatabaseKind.MYSQL) {
                assertThat(asRelay.lookAtWriters(0).longest()).isEmpty();
            } else {
                assertThat(await().atMost(Duration.ofSeconds(60))
                                .until(() -> asRelay.lookAtWriters(0).longest().orElse(null), Objects::nonNull)
                                .session())
                        .as("the session is named although it is another user's")
                        .contains(kind.isInnoDb() ? database.database().name() : "month-end")
                        .contains("user " + database.database().user());
            }
            writer.commit();
        }
        assertThat(asRelay.heartbeat("one", LONG)).isEqualTo(new Members(1, 8));
        List<OwnedLane> owned = asRelay.acquire("one", 8, LONG);
        assertThat(asRelay.renew("one", owned.stream().map(OwnedLane::lane).toList(), LONG))
                .hasSize(8);
        int lane = (int) database.number("SELECT lane FROM outbox");
        OwnedLane own =
                owned.stream().filter(one -> one.lane() == lane).findFirst().orElseThrow();
        assertThat(asRelay.lanesWithEvents(Map.of(lane, 0L))).containsExactly(lane);
        assertThat(asRelay.backlog(Map.of(lane, 0L)).events()).isEqualTo(1);
        assertThat(asRelay.settle(
                        own,
                        OutboxDatabase.life(asRelay, own),
                        asRelay.claim(new Claim(own, 0, 10, 1_000, List.of()))
                                .orElseThrow()
                                .events()))
                .isEqualTo(1);
        assertThat(asRelay.release(owned.get(0))).isTrue();
        asRelay.goodbye("one");

        database.dropLogin();
    }

    // hazard 22
    @Test
    void no_statement_is_given_a_time_of_this_host() {
        Class<?> statements = outbox.getClass();
        assertThat(Arrays.stream(statements.getMethods())
                        .filter(method -> method.getDeclaringClass() == statements)
                        .filter(method -> Stream.of(method.getParameterTypes()).anyMatch(LanesTest::isTime))
                        .map(Method::getName))
                .isEmpty();
    }

    private static boolean isTime(Class<?> type) {
        return Temporal.class.isAssignableFrom(type) || Date.class.isAssignableFrom(type);
    }
}
