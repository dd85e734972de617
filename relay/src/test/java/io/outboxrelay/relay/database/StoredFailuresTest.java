package io.outboxrelay.relay.database;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.outboxrelay.relay.database.Failures.Filter;
import io.outboxrelay.relay.database.Failures.Note;
import io.outboxrelay.relay.database.Failures.Route;
import io.outboxrelay.relay.database.Failures.UnavailableException;
import io.outboxrelay.relay.database.Failures.Whereabouts;
import io.outboxrelay.relay.lane.FailurePolicy.State;
import io.outboxrelay.relay.testing.FailureRows;
import io.outboxrelay.relay.testing.OutboxDatabase;
import io.outboxrelay.testservers.DatabaseKind;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import javax.sql.DataSource;
import org.awaitility.Awaitility;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.AfterParameterizedClassInvocation;
import org.junit.jupiter.params.BeforeParameterizedClassInvocation;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.MethodSource;

@ParameterizedClass
@MethodSource("io.outboxrelay.testservers.DatabaseKind#here")
@Tag("server")
class StoredFailuresTest {

    @Parameter
    DatabaseKind kind;

    private static final Note ANN = new Note("ann", "mended");
    private static final Filter ALL = new Filter(List.of(), State.SHOWN, null, null, null, null, null);

    private static OutboxDatabase database;
    private static Failures failures;

    private final FailureRows rows = new FailureRows(database);

    @BeforeParameterizedClassInvocation
    static void install(DatabaseKind kind) {
        database = OutboxDatabase.withLanes(kind, 4);
        failures = database.failures();
    }

    @AfterParameterizedClassInvocation
    static void drop() {
        database.close();
    }

    @BeforeEach
    void empty() {
        database.execute("TRUNCATE outbox, outbox_failure, outbox_pause, outbox_audit RESTART IDENTITY");
        database.execute("UPDATE outbox_lane SET owner = NULL, lease_until = NULL");
    }

    // hazard 28
    @Test
    void parked_events_are_listed_counted_and_retried_with_their_attempts_anew() {
        UUID parked = rows.put("a", "parked");
        rows.put("a", "waiting");
        rows.put("b", "retrying");

        Failures.Listing listing = failures.failedEvents().list(ALL.in(Set.of(State.PARKED)), 100);

        assertThat(listing.counts()).containsOnlyKeys(State.PARKED).containsEntry(State.PARKED, 1L);
        assertThat(listing.waitingBehind()).isEqualTo(1);
        assertThat(listing.failures()).singleElement().satisfies(failure -> {
            assertThat(failure.event()).isEqualTo(parked);
            assertThat(failure.attempts()).isEqualTo(3);
            assertThat(failure.behind()).isEqualTo(1);
            assertThat(failure.content().headerNames()).containsExactly("token");
            assertThat(failure.toString()).doesNotContain(FailureRows.SECRET);
        });
        assertThat(retry(ALL)).isEqualTo(1);
        assertThat(rows.states("a")).containsExactly("retrying/0/0*", "waiting/0/0");
        assertThat(rows.states("b")).as("was not parked").containsExactly("retrying/3/4");
    }

    @Test
    void failures_are_counted_by_reason_and_type_and_the_age_of_the_oldest_is_known() {
        rows.put("a", "parked");
        rows.put("b", "retrying");
        rows.reason("too-large").eventType("OrderPaid").put("c", "parked");

        assertThat(failures.failedEvents().list(ALL, 0).groups())
                .containsExactly(
                        new Failures.Group("unroutable", "Order", "OrderPlaced", 2),
                        new Failures.Group("too-large", "Order", "OrderPaid", 1));
        OutboxStore.FailureCounts counts = database.outbox().failures(List.of(0, 1, 2, 3));
        assertThat(counts.events())
                .containsEntry("parked", 2L)
                .containsEntry("retrying", 1L)
                .containsEntry("waiting", 0L);
        assertThat(counts.oldestSeconds()).as("they occurred a day ago").isBetween(86_400.0, 90_000.0);
    }

    @Test
    void a_retrying_event_is_tried_now_with_its_attempts_and_a_parked_one_with_fresh_ones() {
        rows.put("a", "retrying");
        rows.put("a", "waiting");
        rows.put("b", "parked");
        rows.put("b", "waiting");

        assertThat(failures.failedEvents().retryNow(ALL, ANN, done -> {})).isEqualTo(2);

        assertThat(rows.states("a")).containsExactly("retrying/3/4*", "waiting/0/0");
        assertThat(rows.states("b")).containsExactly("retrying/0/0*", "waiting/0/0");
        assertThat(failures.audit(10, null)).singleElement().satisfies(entry -> {
            assertThat(entry.action()).isEqualTo("retry now");
            assertThat(entry.events()).isEqualTo(2);
            assertThat(entry.who()).isEqualTo("ann");
        });
        assertThat(failures.audit(10, now -> now.plusSeconds(60))).isEmpty();
    }

    @Test
    void the_undelivered_events_of_an_aggregate_are_found_with_the_one_that_blocks() {
        database.write("a");
        database.write("b");
        UUID first = rows.put("a", "parked");
        rows.put("a", "waiting");

        Failures.Undelivered found = failures.undelivered("Order", "a", 1);

        assertThat(found.failed()).isEqualTo(2);
        assertThat(found.failures()).hasSize(1);
        assertThat(found.inOutbox()).isEqualTo(1);
        assertThat(found.unpublished())
                .singleElement()
                .satisfies(event -> assertThat(event.address().aggregateId()).isEqualTo("a"));
        assertThat(Objects.requireNonNull(found.first()).event()).isEqualTo(first);
        assertThat(failures.undelivered("order", "a", 1).lane())
                .as("compared exactly")
                .isNull();
    }

    @Test
    void rights_that_a_relay_lacks_are_named() throws Exception {
        DataSource login = database.loginWithOnly("outbox_relay");
        try {
            assertThat(database.failures(login).missingRights(true)).isEmpty();
            database.giveLogin("outbox_consumer", "outbox_relay");
            assertThat(database.failures(login).missingRights(false))
                    .contains(
                            "DELETE on outbox",
                            "UPDATE on outbox_lane",
                            "INSERT on outbox_failure",
                            "SELECT on outbox_pause");
        } finally {
            database.dropLogin();
        }
    }

    // hazard 29
    @Test
    void retried_events_of_an_aggregate_are_tried_in_their_original_order() {
        rows.putParkedNotBlocking("a");
        rows.putParkedNotBlocking("a");
        rows.put("a", "retrying");
        rows.put("a", "waiting");

        assertThat(retry(ALL)).isEqualTo(2);

        assertThat(rows.states("a")).containsExactly("retrying/0/0*", "waiting/0/0", "waiting/3/4", "waiting/0/0");
    }

    @Test
    void an_event_retried_behind_one_that_is_parked_waits_for_it() {
        rows.put("a", "parked");
        UUID second = rows.putParkedNotBlocking("a");

        assertThat(retry(of(second))).isEqualTo(1);

        assertThat(rows.states("a")).containsExactly("parked/3/4", "waiting/0/0");
    }

    @Test
    void a_parked_or_paused_event_behind_the_first_of_its_aggregate_stays_what_it_is() {
        UUID first = rows.putParkedNotBlocking("a");
        rows.put("a", "paused");
        UUID other = rows.putParkedNotBlocking("b");
        rows.put("b", "parked");

        assertThat(retry(of(first, other))).isEqualTo(2);

        assertThat(rows.states("a")).containsExactly("retrying/0/0*", "paused/0/0");
        assertThat(rows.states("b")).containsExactly("retrying/0/0*", "parked/3/4");
    }

    // hazard 29
    @Test
    void of_two_people_who_retry_at_the_same_time_one_retries_each_event() throws Exception {
        int events = 2_500;
        database.execute("""
            INSERT INTO outbox_failure (lane, position, event_id, aggregate_type, aggregate_id, event_type, payload,
                content_type, headers, occurred_at, state, reason, blocking, attempts)
            SELECT n % 4, n, gen_random_uuid(), 'Order', (n % 40)::text, 'OrderPlaced', '', '', '{}', clock_timestamp(),
                'parked', 'returned', false, 3 FROM generate_series(1, EVENTS) AS n
            """.replace("EVENTS", String.valueOf(events)));
        List<Long> progress = new ArrayList<>();
        ExecutorService people = Executors.newFixedThreadPool(2);
        try (OutboxDatabase.Transaction lane = database.begin()) {
            lane.execute("SELECT FROM outbox_lane WHERE lane = 2 FOR UPDATE");
            CountDownLatch together = new CountDownLatch(2);
            Future<Long> ann = people.submit(() -> {
                together.countDown();
                together.await();
                return failures.failedEvents().retry(ALL, ANN, done -> {});
            });
            Future<Long> bob = people.submit(() -> {
                together.countDown();
                together.await();
                return failures.failedEvents().retry(ALL, new Note("bob", ""), done -> {});
            });
            // Both have chosen what to retry and wait for the same lanes.
            awaitWaiting(2);
            lane.commit();

            assertThat(ann.get(1, TimeUnit.MINUTES) + bob.get(1, TimeUnit.MINUTES))
                    .isEqualTo(events);
            assertThat(failures.failedEvents().retry(ALL, ANN, progress::add)).isZero();
        } finally {
            people.shutdownNow();
        }
        assertThat(progress).isEmpty();
        assertThat(database.number("SELECT sum(events) FROM outbox_audit")).isEqualTo(events);
        assertThat(database.number("""
            SELECT count(*) FROM outbox_failure f WHERE blocking AND attempts = 0 AND (state = 'retrying') =
                (NOT EXISTS (SELECT FROM outbox_failure e WHERE e.aggregate_id = f.aggregate_id AND e.id < f.id))
            """))
                .as("of each aggregate the first is tried, and the others wait")
                .isEqualTo(events);
    }

    @Test
    void many_are_changed_in_transactions_of_a_thousand_each_with_its_note() {
        database.execute("""
            INSERT INTO outbox_failure (lane, position, event_id, aggregate_type, aggregate_id, event_type, payload,
                content_type, headers, occurred_at, state, reason)
            SELECT n % 4, n, gen_random_uuid(), 'Order', n::text, 'OrderPlaced', '', '', '{}', clock_timestamp(),
                'parked', 'returned' FROM generate_series(1, 2100) AS n
            """);
        List<Long> progress = new ArrayList<>();

        assertThat(failures.failedEvents().discard(ALL, ANN, progress::add)).isEqualTo(2_100);

        assertThat(progress).containsExactly(1_000L, 2_000L, 2_100L);
        assertThat(database.column("SELECT events FROM outbox_audit ORDER BY id"))
                .containsExactly("1000", "1000", "100");
        assertThat(database.number("SELECT count(*) FROM outbox_failure")).isZero();
    }

    @Test
    void what_a_relay_changes_while_a_command_waits_for_its_lane_is_not_changed_again() throws Exception {
        UUID event = rows.put("a", "parked");
        ExecutorService person = Executors.newSingleThreadExecutor();
        try (OutboxDatabase.Transaction relay = database.begin()) {
            relay.execute("SELECT FROM outbox_lane WHERE lane = 0 FOR UPDATE");
            Future<Long> discarded = person.submit(() -> failures.failedEvents()
                    .discard(
                            new Filter(List.of(event), Set.of(State.PARKED), null, null, null, null, null),
                            ANN,
                            done -> {}));
            awaitWaiting(1);
            relay.execute("UPDATE outbox_failure SET state = 'retrying', next_attempt_at = clock_timestamp()");
            relay.commit();

            assertThat(discarded.get(1, TimeUnit.MINUTES)).isZero();
        } finally {
            person.shutdownNow();
        }
        assertThat(rows.states("a")).containsExactly("retrying/3/4*");
        assertThat(database.number("SELECT count(*) FROM outbox_audit")).isZero();
    }

    @Test
    void a_command_that_a_deadlock_with_a_relay_ends_is_tried_again() throws Exception {
        rows.lane(0).put("a", "parked");
        rows.lane(1).put("b", "parked");
        String name = database.database().name();
        if (kind == DatabaseKind.POSTGRESQL) {
            database.execute("ALTER DATABASE " + name + " SET deadlock_timeout = '3s'");
        }
        ExecutorService person = Executors.newSingleThreadExecutor();
        try (OutboxDatabase.Transaction relay = database.begin()) {
            // The command is the one to end: its patience is shorter, or it has changed less.
            relay.execute(
                    kind.isInnoDb()
                            ? "UPDATE outbox_lane SET epoch = epoch + 1 WHERE lane = 1"
                            : "SET LOCAL deadlock_timeout = '1min'");
            relay.execute("SELECT FROM outbox_lane WHERE lane = 1 FOR UPDATE");
            Future<Long> retried = person.submit(() -> retry(ALL));
            awaitWaiting(1);
            // Waits for the command, which waits for this.
            relay.execute("SELECT FROM outbox_lane WHERE lane = 0 FOR UPDATE");
            relay.commit();

            assertThat(retried.get(1, TimeUnit.MINUTES)).isEqualTo(2);
        } finally {
            person.shutdownNow();
            if (kind == DatabaseKind.POSTGRESQL) {
                database.execute("ALTER DATABASE " + name + " RESET deadlock_timeout");
            }
        }
        assertThat(database.number("SELECT sum(events) FROM outbox_audit")).isEqualTo(2);
    }

    @Test
    void after_a_discard_the_next_event_of_the_aggregate_moves_up() {
        UUID first = rows.put("a", "parked");
        rows.put("a", "waiting");
        rows.put("a", "waiting");

        assertThat(discard(of(first))).isEqualTo(1);

        assertThat(rows.states("a")).containsExactly("retrying/0/0*", "waiting/0/0");
    }

    @Test
    void a_discard_of_all_spares_the_events_that_move_up_meanwhile() {
        rows.put("a", "parked");
        rows.put("a", "waiting");
        rows.put("a", "waiting");
        rows.put("b", "retrying");
        rows.put("b", "waiting");

        assertThat(discard(ALL)).isEqualTo(2);

        assertThat(rows.states("a")).containsExactly("retrying/0/0*", "waiting/0/0");
        assertThat(rows.states("b")).containsExactly("retrying/0/0*");
    }

    @Test
    void events_that_wait_are_neither_discarded_nor_retried() {
        rows.put("a", "parked");
        UUID second = rows.put("a", "waiting");
        Filter waiting = new Filter(List.of(second), Set.of(State.values()), null, null, null, null, null);

        assertThat(discard(waiting)).isZero();
        assertThat(retry(waiting)).isZero();
        assertThat(rows.states("a")).containsExactly("parked/3/4", "waiting/0/0");
    }

    @Test
    void every_change_leaves_a_note_of_who_did_what_and_why() {
        UUID retried = rows.put("a", "parked");
        retry(of(retried));
        UUID discarded = rows.aggregateType("Invoice").put("b", "parked");
        discard(new Filter(List.of(), State.SHOWN, null, null, "Invoice", null, null));
        failures.pause(new Route("Order", "*"), ANN);
        failures.pause(new Route("Order", "*"), ANN);
        failures.resume(new Route("Order", "*"), ANN);
        failures.resume(new Route("Order", "*"), ANN);

        String user = " by " + database.database().user();
        assertThat(database.column("SELECT concat_ws('|', concat(who, ' by ', db_user), action, what, events, reason)"
                        + " FROM outbox_audit ORDER BY id"))
                .containsExactly(
                        "ann" + user + "|retry|parked, event " + retried + "|1|mended",
                        "ann" + user + "|discard|retrying or parked or paused, aggregate type Invoice: " + discarded
                                + "|1|mended",
                        "ann" + user + "|pause|aggregate type Order, event type *|0|mended",
                        "ann" + user + "|resume|aggregate type Order, event type *|0|mended");
        assertThat(database.number(
                        "SELECT count(*) FROM outbox_audit WHERE at > clock_timestamp() - interval '1 hour'"))
                .isEqualTo(4);
    }

    @Test
    void a_filter_takes_what_fits_all_that_is_given() {
        rows.put("a", "parked");
        rows.aggregateType("Invoice").put("a", "parked");
        rows.aggregateType("Order").eventType("OrderPaid").put("b", "parked");
        rows.reason("refused").put("c", "parked");
        rows.age(Duration.ofHours(2)).put("d", "parked");

        assertThat(count(null, null, null, null, null)).isEqualTo(5);
        assertThat(count("refused", null, null, null, null)).isEqualTo(2);
        assertThat(count(null, "OrderPlaced", null, null, null)).isEqualTo(2);
        assertThat(count(null, null, "Invoice", null, null)).isEqualTo(1);
        assertThat(count(null, null, null, "a", null)).isEqualTo(2);
        assertThat(count(null, null, "Order", "a", null)).isEqualTo(1);
        assertThat(count(null, null, null, null, Duration.ofHours(1))).isEqualTo(1);
        assertThat(failures.failedEvents().count(of(UUID.randomUUID()))).isZero();
        assertThat(failures.failedEvents().count(ALL.in(Set.of(State.PAUSED)))).isZero();
    }

    @Test
    void an_event_in_the_outbox_is_located_with_those_before_it_and_what_blocks_it() {
        database.write("1");
        database.write("1");
        long position = database.write("1");
        UUID event = UUID.fromString(database.value("SELECT event_id FROM outbox WHERE position = " + position));
        int lane = (int) database.number("SELECT lane FROM outbox LIMIT 1");
        database.execute("UPDATE outbox_lane SET owner = 'relay-1', epoch = 7,"
                + " lease_until = clock_timestamp() + interval '1 hour' WHERE lane = " + lane);
        UUID first = rows.lane(lane).put("1", "parked");
        failures.pause(new Route("*", "OrderPlaced"), ANN);
        failures.pause(new Route("Invoice", "*"), ANN);

        Whereabouts found = failures.locate(event);

        assertThat(found.unpublished()).satisfies(outbox -> {
            assertThat(outbox.address().position()).isEqualTo(position);
            assertThat(outbox.beforeInLane()).isEqualTo(2);
            assertThat(outbox.beforeInAggregate()).isEqualTo(2);
        });
        assertThat(found.failure()).isNull();
        assertThat(found.first())
                .satisfies(blocking -> assertThat(blocking.event()).isEqualTo(first));
        assertThat(found.lane()).satisfies(owned -> {
            assertThat(owned.owner()).isEqualTo("relay-1");
            assertThat(owned.epoch()).isEqualTo(7);
            assertThat(owned.leaseSeconds()).isBetween(3_000.0, 3_600.0);
        });
        assertThat(found.pauses()).extracting(Failures.Pause::route).containsExactly(new Route("*", "OrderPlaced"));
        assertThat(found.audit()).isEmpty();
    }

    @Test
    void of_a_discarded_event_the_note_is_found() {
        UUID event = rows.put("a", "parked");
        discard(ALL);

        Whereabouts found = failures.locate(event);

        assertThat(found.unpublished()).isNull();
        assertThat(found.failure()).isNull();
        assertThat(found.lane()).isNull();
        assertThat(found.audit()).singleElement().satisfies(note -> {
            assertThat(note.action()).isEqualTo("discard");
            assertThat(note.who()).startsWith("ann");
            assertThat(note.reason()).isEqualTo("mended");
        });
    }

    @Test
    void the_role_admin_is_enough_to_change_and_the_relay_s_to_look() {
        UUID event = rows.put("a", "parked");
        rows.put("b", "parked");
        DataSource login = database.loginWithOnly("outbox_admin");
        try {
            Failures admin = database.failures(login);
            admin.requireVersion();
            assertThat(admin.failedEvents().retry(of(event), ANN, done -> {})).isEqualTo(1);
            assertThat(admin.failedEvents().discard(ALL, ANN, done -> {})).isEqualTo(2);
            assertThat(admin.pause(new Route("*", "*"), ANN)).isTrue();
            assertThat(admin.pauses()).hasSize(1);
            assertThat(admin.resume(new Route("*", "*"), ANN)).isTrue();
            assertThat(admin.failedEvents().list(ALL, 10).failures()).isEmpty();
            assertThat(admin.locate(event).audit()).hasSize(2);

            database.giveLogin("outbox_relay", "outbox_admin");
            Failures relay = database.failures(login);
            UUID next = rows.put("c", "parked");
            relay.requireVersion();
            assertThat(relay.failedEvents().list(ALL, 10).failures()).hasSize(1);
            assertThat(relay.locate(next).audit()).as("may not be read").isNull();
            assertThatThrownBy(() -> relay.failedEvents().retry(of(next), ANN, done -> {}))
                    .isInstanceOf(UnavailableException.class)
                    .hasMessageContaining("outbox_admin")
                    .hasMessageContaining("--user");
            assertThat(rows.states("c")).as("nothing without its note").containsExactly("parked/3/4");
        } finally {
            database.dropLogin();
        }
    }

    @Test
    void a_schema_without_an_outbox_or_an_older_one_names_the_command_migrate() {
        DataSource connections = database.asTheRelay();
        String old = kind.isInnoDb() ? "old_" + database.database().name() : "old";
        database.execute("CREATE SCHEMA " + old);
        database.execute(
                kind.isInnoDb()
                        ? "CREATE VIEW " + old + ".outbox_schema_version AS SELECT 2 AS version"
                        : "CREATE FUNCTION old.outbox_schema_version() RETURNS int"
                                + " LANGUAGE sql IMMUTABLE AS 'SELECT 2'");

        assertThatThrownBy(
                        () -> database.dialect().failures("none", connections).requireVersion())
                .hasMessage("There is no outbox in the schema none. Install it with the command migrate.");
        assertThatThrownBy(() -> database.dialect().failures(old, connections).requireVersion())
                .hasMessageStartingWith("The outbox has version 2, this command needs ")
                .hasMessageEndingWith("Upgrade it with the command migrate.");
        assertThatThrownBy(() -> database.dialect().failures("x; DROP", connections))
                .isInstanceOf(IllegalArgumentException.class);
        database.execute("DROP SCHEMA " + old + (kind.isInnoDb() ? "" : " CASCADE"));
    }

    private static void awaitWaiting(int sessions) {
        Awaitility.await().atMost(Duration.ofSeconds(8)).until(() -> database.waitingForLocks() == sessions);
    }

    private static long retry(Filter filter) {
        return failures.failedEvents().retry(filter, ANN, done -> {});
    }

    private static long discard(Filter filter) {
        return failures.failedEvents().discard(filter, ANN, done -> {});
    }

    private static Filter of(UUID... events) {
        return new Filter(List.of(events), State.SHOWN, null, null, null, null, null);
    }

    private static long count(
            @Nullable String reason,
            @Nullable String eventType,
            @Nullable String aggregateType,
            @Nullable String aggregateId,
            @Nullable Duration olderThan) {
        return failures.failedEvents()
                .count(new Filter(List.of(), State.SHOWN, reason, eventType, aggregateType, aggregateId, olderThan));
    }
}
