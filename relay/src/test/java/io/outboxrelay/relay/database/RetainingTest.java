package io.outboxrelay.relay.database;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.outboxrelay.relay.database.OutboxStore.Retention;
import io.outboxrelay.relay.database.Published.Extent;
import io.outboxrelay.relay.database.Published.Limits;
import io.outboxrelay.relay.database.Published.Selection;
import io.outboxrelay.relay.lane.Event;
import io.outboxrelay.relay.lane.FailurePolicy.Failed;
import io.outboxrelay.relay.lane.FailurePolicy.State;
import io.outboxrelay.relay.lane.LaneStore.Changes;
import io.outboxrelay.relay.lane.LaneStore.Claim;
import io.outboxrelay.relay.lane.LaneStore.Due;
import io.outboxrelay.relay.lane.LaneStore.OwnedLane;
import io.outboxrelay.relay.lane.Outcome.Reason;
import io.outboxrelay.relay.testing.OutboxDatabase;
import io.outboxrelay.relay.testing.OutboxDatabase.Transaction;
import io.outboxrelay.testservers.DatabaseKind;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.MethodSource;

/** Published events of a source that retains them, and how a replay reads them. */
@ParameterizedClass
@MethodSource("io.outboxrelay.testservers.DatabaseKind#here")
@Tag("server")
class RetainingTest {

    @Parameter
    DatabaseKind kind;

    private static final Limits LIMITS = new Limits(1_000, 10_000_000, 1_000);
    private static final Selection EVERYTHING = new Selection(List.of(), null, null, null, null, null);

    private OutboxDatabase database;
    private OutboxStore outbox;
    private OwnedLane owned;
    private Published published;

    @BeforeEach
    void own_a_lane() {
        database = OutboxDatabase.withLanes(kind, 1);
        outbox = database.retainingOutbox();
        owned = outbox.acquire("relay", 1, Duration.ofHours(1)).get(0);
        published = database.dialect().published("public", database.asTheRelay(Session.Use.COMMAND));
    }

    @AfterEach
    void drop() {
        database.close();
    }

    @Test
    void settling_moves_an_event_with_everything_it_had() {
        database.execute("""
            INSERT INTO outbox (aggregate_type, aggregate_id, event_type, payload, content_type, headers, occurred_at)
            VALUES ('Order', 'a', 'OrderPlaced', '\\xC30100FF', 'application/avro', '{"tenant": "x"}', \
            '2026-01-02T03:04:05Z')\
            """);
        Event written = claimed().get(0);

        assertThat(outbox.settle(owned, OutboxDatabase.life(outbox, owned), List.of(written)))
                .isEqualTo(1);

        assertThat(database.column("SELECT position FROM outbox")).isEmpty();
        assertThat(next(EVERYTHING, 0)).singleElement().satisfies(event -> {
            assertThat(event.id()).isEqualTo(written.id());
            assertThat(event.aggregate()).isEqualTo(written.aggregate());
            assertThat(event.type()).isEqualTo("OrderPlaced");
            assertThat(event.payload()).isEqualTo(new byte[] {(byte) 0xC3, 1, 0, (byte) 0xFF});
            assertThat(event.contentType()).isEqualTo("application/avro");
            assertThat(event.headers()).isEqualTo("{\"tenant\": \"x\"}");
            assertThat(event.occurredAt()).isEqualTo(Instant.parse("2026-01-02T03:04:05Z"));
            assertThat(event.kept()).isNull();
        });
    }

    @Test
    void without_retention_nothing_is_kept() {
        database.write("a");

        assertThat(database.outbox().settle(owned, OutboxDatabase.life(database.outbox(), owned), claimed()))
                .isEqualTo(1);

        assertThat(database.column("SELECT id FROM outbox_published")).isEmpty();
        assertThat(published.extent(EVERYTHING, 0)).isEqualTo(new Extent(0, null));
    }

    @Test
    void an_event_that_two_relays_have_published_is_retained_once() {
        database.write("a");
        List<Event> events = claimed();

        assertThat(outbox.settle(owned, OutboxDatabase.life(outbox, owned), events))
                .isEqualTo(1);
        assertThat(outbox.settle(owned, OutboxDatabase.life(outbox, owned), events))
                .isZero();

        assertThat(next(EVERYTHING, 0)).hasSize(1);
    }

    @Test
    void events_of_an_aggregate_keep_their_order_also_when_one_of_them_failed_first() {
        for (int i = 0; i < 300; i++) {
            database.write(i % 3);
        }
        List<Event> events = claimed();
        outbox.settle(owned, OutboxDatabase.life(outbox, owned), events.subList(0, 90));
        keep(new Changes(
                List.of(),
                List.of(new Failed(
                        events.get(90), State.RETRYING, true, 1, 1, Duration.ZERO, Reason.UNROUTABLE, "no queue")),
                List.of(events.get(93))));
        List<Event> others = events.subList(91, 300).stream()
                .filter(event -> !event.aggregate().equals(events.get(90).aggregate()))
                .toList();
        outbox.settle(owned, OutboxDatabase.life(outbox, owned), others);
        List<Event> due = outbox.due(new Due(0, 100, 1_000_000, 100));
        assertThat(due).hasSize(2);
        keep(new Changes(due, List.of(), List.of()));
        outbox.settle(owned, OutboxDatabase.life(outbox, owned), claimed());

        assertThat(database.column("SELECT id FROM outbox_failure")).isEmpty();
        assertThat(database.number("SELECT count(*) FROM outbox_published")).isEqualTo(300);
        assertThat(database.column("""
                SELECT id FROM (
                    SELECT id, position, lag(position) OVER (PARTITION BY aggregate_id ORDER BY id) AS earlier
                    FROM outbox_published) AS p
                WHERE position < earlier""")).isEmpty();
    }

    @Test
    void what_was_confirmed_to_an_earlier_owner_is_left_to_the_one_who_has_the_lane_now() {
        database.write("a");
        List<Event> events = claimed();

        assertThat(outbox.settle(
                        new OwnedLane(0, "relay", owned.epoch() - 1), OutboxDatabase.life(outbox, owned), events))
                .isZero();

        assertThat(outbox.settle(
                        new OwnedLane(0, "another", owned.epoch()), OutboxDatabase.life(outbox, owned), events))
                .isZero();
        assertThat(claimed()).hasSize(1);
        assertThat(outbox.settle(owned, OutboxDatabase.life(outbox, owned), events))
                .isEqualTo(1);
    }

    @Test
    void a_replay_reads_on_from_a_place_within_its_limits() {
        for (int i = 0; i < 10; i++) {
            database.write(i, new byte[i == 7 ? 2_000 : 10]);
        }
        outbox.settle(owned, OutboxDatabase.life(outbox, owned), claimed());

        List<Event> first = published.next(EVERYTHING, 0, new Limits(4, 1_000, 1_000));
        assertThat(ids(first)).containsExactly("0", "1", "2", "3");
        List<Event> bounded = published.next(EVERYTHING, last(first), new Limits(100, 25, 1_000));
        assertThat(ids(bounded)).containsExactly("4", "5", "6");
        List<Event> rest = published.next(EVERYTHING, last(bounded), LIMITS);
        assertThat(ids(rest)).containsExactly("7", "8", "9");
        assertThat(rest.get(0).payload()).as("too large to be read").isNull();
        assertThat(rest.get(0).payloadBytes()).isEqualTo(2_000);
        assertThat(published.next(EVERYTHING, last(rest), LIMITS)).isEmpty();
        assertThat(published.extent(EVERYTHING, last(bounded)).events()).isEqualTo(3);
    }

    @Test
    void a_replay_is_narrowed_by_time_type_aggregate_and_id() {
        database.execute("""
                INSERT INTO outbox_published (lane, position, event_id, aggregate_type, aggregate_id, event_type,
                    payload, content_type, headers, occurred_at, published_at)
                SELECT 0, n, UUID_OF_N, CASE WHEN n < 6 THEN 'Order' ELSE 'Invoice' END,
                       (n % 2)::text, CASE WHEN n < 8 THEN 'Placed' ELSE 'Paid' END, 'x', 'text/plain', '{}', now(),
                       TIME_OF_N
                FROM generate_series(1, 9) n""".replace(
                        "UUID_OF_N",
                        kind.isInnoDb()
                                ? "unhex(lpad(n, 32, '0'))"
                                : "('00000000-0000-0000-0000-00000000000' || n)::uuid")
                .replace(
                        "TIME_OF_N",
                        kind.isInnoDb()
                                ? "timestamp '2026-01-01 00:00:00' + INTERVAL n HOUR"
                                : "timestamptz '2026-01-01T00:00:00Z' + n * interval '1 hour'"));

        assertThat(positions(new Selection(
                        List.of(),
                        Instant.parse("2026-01-01T03:00:00Z"),
                        Instant.parse("2026-01-01T06:00:00Z"),
                        null,
                        null,
                        null)))
                .containsExactly(3L, 4L, 5L);
        assertThat(positions(new Selection(List.of(), null, null, "Paid", null, null)))
                .containsExactly(8L, 9L);
        assertThat(positions(new Selection(List.of(), null, null, null, "Invoice", null)))
                .containsExactly(6L, 7L, 8L, 9L);
        assertThat(positions(new Selection(List.of(), null, null, null, "Order", "1")))
                .containsExactly(1L, 3L, 5L);
        assertThat(positions(new Selection(
                        List.of(new UUID(0, 9), new UUID(0, 2), new UUID(0, 4711)), null, null, null, null, null)))
                .containsExactly(2L, 9L);
        assertThat(published.extent(new Selection(List.of(), null, null, "Nothing", null, null), 0))
                .isEqualTo(new Extent(0, Instant.parse("2026-01-01T01:00:00Z")));
    }

    @Test
    void who_settles_is_named_on_postgresql_until_the_end_of_the_transaction() {
        assumeTrue(kind == DatabaseKind.POSTGRESQL, "MariaDB waits for whoever settles");
        database.write("a");
        assertThat(published.settling()).isEmpty();
        try (Transaction settling = database.begin()) {
            settling.execute("""
                WITH gone AS (DELETE FROM outbox RETURNING *)
                INSERT INTO outbox_published (lane, position, event_id, aggregate_type, aggregate_id, event_type,
                    payload, content_type, headers, occurred_at)
                SELECT lane, position, event_id, aggregate_type, aggregate_id, event_type, payload, content_type,
                       headers, occurred_at FROM gone""");

            assertThat(published.settling()).hasSize(1);
            settling.commit();
        }
        assertThat(published.settling()).isEmpty();
        assertThat(next(EVERYTHING.before(published.now()), 0)).hasSize(1);
    }

    @Test
    void the_relay_lets_go_of_old_days_and_makes_new_ones_with_its_own_rights_only() {
        assumeTrue(kind == DatabaseKind.POSTGRESQL, "MariaDB has no days");
        OutboxStore relay = database.retainingOutbox(database.loginWithOnly("outbox_relay"));
        database.execute("SELECT outbox_published_day(current_date - 10)");
        database.write("a");

        assertThat(relay.retain(Duration.ofDays(7)))
                .as("no day is dropped while some are made")
                .isEqualTo(new Retention(0, 0, false));
        assertThat(relay.retain(Duration.ofDays(7))).isEqualTo(new Retention(1, 0, false));
        assertThat(relay.settle(owned, OutboxDatabase.life(relay, owned), claimed()))
                .isEqualTo(1);

        assertThat(database.number("SELECT count(*) FROM outbox_published")).isEqualTo(1);
        assertThat(database.number("SELECT count(*) FROM outbox_published_rest"))
                .isZero();
        database.dropLogin();
    }

    @Test
    void the_relay_lets_go_of_old_events_on_mariadb_with_its_own_rights_only() {
        assumeTrue(kind.isInnoDb(), "PostgreSQL drops days");
        OutboxStore relay = database.retainingOutbox(database.loginWithOnly("outbox_relay"));
        database.write("old");
        database.write("young");
        relay.settle(owned, OutboxDatabase.life(relay, owned), claimed());
        database.execute(
                "UPDATE outbox_published SET published_at = now() - interval '8 days' WHERE aggregate_id = 'old'");

        assertThat(relay.retain(Duration.ofDays(7))).isEqualTo(new Retention(0, 1, false));

        assertThat(ids(next(EVERYTHING, 0))).containsExactly("young");
        database.dropLogin();
    }

    @Test
    void a_replay_waits_on_mariadb_for_whoever_settles() throws Exception {
        assumeTrue(kind.isInnoDb(), "PostgreSQL names them");
        ExecutorService replay = Executors.newSingleThreadExecutor();
        try (Transaction settling = database.begin()) {
            settling.execute("SELECT 1 FROM outbox_lane WHERE lane = 0 LOCK IN SHARE MODE");
            Future<Set<String>> names = replay.submit(() -> published.settling());
            await().atMost(Duration.ofSeconds(60)).until(() -> database.waitingForLocks() == 1);
            assertThat(names.isDone()).isFalse();
            settling.commit();

            assertThat(names.get(1, TimeUnit.MINUTES)).isEmpty();
        } finally {
            replay.shutdownNow();
        }
    }

    private void keep(Changes changes) {
        assertThat(outbox.keep(owned, OutboxDatabase.life(outbox, owned), changes))
                .isPresent();
    }

    private List<Event> claimed() {
        return outbox.claim(new Claim(owned, 0, 1_000, 10_000_000, List.of()))
                .orElseThrow()
                .events();
    }

    private List<Event> next(Selection selection, long after) {
        return published.next(selection, after, LIMITS);
    }

    /** Here a place is the position that was written, for the table is new. */
    private List<Long> positions(Selection selection) {
        return next(selection, 0).stream().map(Event::position).toList();
    }

    private static List<String> ids(List<Event> events) {
        return events.stream().map(event -> event.aggregate().id()).toList();
    }

    private static long last(List<Event> events) {
        return events.get(events.size() - 1).position();
    }
}
