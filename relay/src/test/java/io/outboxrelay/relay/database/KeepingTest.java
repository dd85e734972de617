package io.outboxrelay.relay.database;

import static org.assertj.core.api.Assertions.assertThat;

import io.outboxrelay.relay.database.Failures.Filter;
import io.outboxrelay.relay.database.Failures.Note;
import io.outboxrelay.relay.lane.ByRoute;
import io.outboxrelay.relay.lane.Event;
import io.outboxrelay.relay.lane.Event.Aggregate;
import io.outboxrelay.relay.lane.FailurePolicy.Failed;
import io.outboxrelay.relay.lane.FailurePolicy.State;
import io.outboxrelay.relay.lane.LaneStore.Blocked;
import io.outboxrelay.relay.lane.LaneStore.Changes;
import io.outboxrelay.relay.lane.LaneStore.Claim;
import io.outboxrelay.relay.lane.LaneStore.Due;
import io.outboxrelay.relay.lane.LaneStore.OwnedLane;
import io.outboxrelay.relay.lane.Outcome.Reason;
import io.outboxrelay.relay.testing.OutboxDatabase;
import io.outboxrelay.testservers.DatabaseKind;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.MethodSource;

/** What a database makes of events that failed and of those behind them. */
@ParameterizedClass
@MethodSource("io.outboxrelay.testservers.DatabaseKind#here")
@Tag("server")
class KeepingTest {

    @Parameter
    DatabaseKind kind;

    private static final Due ALL = new Due(0, 1_000, 10_000_000, 100);
    private static final Duration LONG = Duration.ofHours(1);

    private OutboxDatabase database;
    private OutboxStore outbox;
    private OwnedLane owned;

    @BeforeEach
    void own_a_lane() {
        database = OutboxDatabase.withLanes(kind, 1);
        outbox = database.outbox(1_000);
        owned = outbox.acquire("relay", 1, LONG).get(0);
    }

    @AfterEach
    void drop() {
        database.close();
    }

    @Test
    void a_failed_event_moves_with_everything_it_had_and_comes_back_when_it_is_due() {
        database.execute("""
            INSERT INTO outbox (aggregate_type, aggregate_id, event_type, payload, content_type, headers, occurred_at)
            VALUES ('Order', 'a', 'OrderPlaced', '\\xC30100FF', 'application/avro', '{"tenant": "x"}', \
            '2026-01-02T03:04:05Z')\
            """);
        Event written = claimed().get(0);

        assertThat(keep(List.of(), List.of(retrying(written, Duration.ZERO)), List.of()))
                .contains(Set.of());

        assertThat(database.column("SELECT position FROM outbox")).isEmpty();
        assertThat(outbox.blocked(owned).map(Blocked::aggregates)).contains(Set.of(new Aggregate("Order", "a")));
        Event kept = outbox.due(ALL).get(0);
        assertThat(kept).usingRecursiveComparison().ignoringFields("kept").isEqualTo(written);
        assertThat(kept.kept()).satisfies(place -> {
            assertThat(place.attempts()).isEqualTo(1);
            assertThat(place.failures()).isEqualTo(2);
            assertThat(place.parked()).isFalse();
        });
    }

    @Test
    void an_event_in_its_backoff_is_not_due_and_neither_are_those_behind_it() {
        database.write("a");
        database.write("a");
        List<Event> events = claimed();

        keep(List.of(), List.of(retrying(events.get(0), LONG)), List.of(events.get(1)));

        assertThat(outbox.due(ALL)).isEmpty();
        assertThat(database.column("SELECT state FROM outbox_failure ORDER BY id"))
                .containsExactly("retrying", "waiting");
        assertThat(outbox.lanesWithEvents(Map.of(0, 0L))).isEmpty();
        database.execute("UPDATE outbox_failure SET next_attempt_at = now() WHERE state = 'retrying'");
        assertThat(outbox.lanesWithEvents(Map.of(0, 0L))).containsExactly(0);
        assertThat(positions(outbox.due(ALL))).isEqualTo(positions(events));
    }

    @Test
    void when_the_first_is_published_the_next_moves_up_and_after_the_last_the_aggregate_is_free() {
        database.write("a");
        database.write("a");
        List<Event> events = claimed();
        keep(List.of(), List.of(retrying(events.get(0), Duration.ZERO)), List.of(events.get(1)));
        List<Event> due = outbox.due(ALL);

        assertThat(keep(due.subList(0, 1), List.of(), List.of())).contains(Set.of());
        assertThat(positions(outbox.due(ALL))).containsExactly(events.get(1).position());

        assertThat(keep(due.subList(1, 2), List.of(), List.of())).contains(Set.of(new Aggregate("Order", "a")));
        assertThat(outbox.blocked(owned).map(Blocked::aggregates)).contains(Set.of());
    }

    @Test
    void a_parked_event_blocks_its_aggregate_unless_its_policy_is_to_continue() {
        database.write("a");
        database.write("b");
        List<Event> events = claimed();

        Optional<Set<Aggregate>> free =
                keep(List.of(), List.of(parked(events.get(0), true), parked(events.get(1), false)), List.of());

        assertThat(free).contains(Set.of(new Aggregate("Order", "b")));
        assertThat(outbox.blocked(owned).map(Blocked::aggregates)).contains(Set.of(new Aggregate("Order", "a")));
        assertThat(outbox.due(ALL)).isEmpty();
        assertThat(database.column("SELECT reason || ': ' || detail FROM outbox_failure ORDER BY id"))
                .containsExactly("unroutable: no queue", "unroutable: no queue");
        assertThat(outbox.failures(List.of(0)).events()).isEqualTo(Map.of("parked", 2L, "waiting", 0L));
    }

    // hazard 71
    @Test
    void a_parked_event_that_is_tried_on_is_due_with_those_behind_it_when_its_time_has_come() {
        database.write("a");
        database.write("a");
        List<Event> events = claimed();

        keep(List.of(), List.of(triedOn(events.get(0), LONG)), List.of(events.get(1)));
        assertThat(outbox.due(ALL)).isEmpty();
        assertThat(outbox.lanesWithEvents(Map.of(0, 0L))).isEmpty();

        database.execute("UPDATE outbox_failure SET next_attempt_at = now() WHERE state = 'parked'");
        assertThat(outbox.lanesWithEvents(Map.of(0, 0L))).containsExactly(0);
        List<Event> due = outbox.due(ALL);
        assertThat(positions(due)).isEqualTo(positions(events));
        assertThat(due).extracting(event -> event.kept().parked()).containsExactly(true, false);
        assertThat(outbox.failures(List.of(0)).events()).isEqualTo(Map.of("parked", 1L, "waiting", 1L));
    }

    // hazard 71
    @Test
    void for_how_long_an_event_is_returned_is_counted_by_the_database_until_there_is_another_answer() {
        database.write("a");
        keep(List.of(), List.of(retrying(claimed().get(0), Duration.ZERO)), List.of());
        database.execute("UPDATE outbox_failure SET returned_since = now() - interval '1 hour'");
        assertThat(returnedFor()).isBetween(LONG, LONG.plusMinutes(5));

        keep(List.of(), List.of(retrying(outbox.due(ALL).get(0), Duration.ZERO)), List.of());
        assertThat(returnedFor()).isBetween(LONG, LONG.plusMinutes(5));

        Failed nacked = new Failed(
                outbox.due(ALL).get(0), State.RETRYING, true, 1, 3, Duration.ZERO, Reason.NACKED, "a queue is full");
        keep(List.of(), List.of(nacked), List.of());
        assertThat(returnedFor()).isZero();
    }

    // hazard 71
    @Test
    void what_a_person_has_retried_meanwhile_is_not_parked_by_what_came_of_the_attempt_before() {
        database.write("a");
        keep(List.of(), List.of(triedOn(claimed().get(0), Duration.ZERO)), List.of());
        Event due = outbox.due(ALL).get(0);
        database.failures()
                .failedEvents()
                .retry(
                        new Filter(List.of(), State.SHOWN, null, null, null, null, null),
                        new Note("ann", "bound the queue"),
                        changed -> {});

        keep(List.of(), List.of(triedOn(due, LONG)), List.of());

        assertThat(database.column("SELECT state || ' ' || attempts FROM outbox_failure"))
                .containsExactly("retrying 0");
        assertThat(returnedFor()).isZero();
    }

    // hazard 71
    @Test
    void a_parked_event_that_is_tried_on_waits_behind_one_that_a_person_has_put_in_front_of_it() {
        database.write("a");
        database.write("a");
        List<Event> events = claimed();
        keep(List.of(), List.of(parked(events.get(0), false), triedOn(events.get(1), Duration.ZERO)), List.of());

        database.failures()
                .failedEvents()
                .retry(
                        new Filter(List.of(events.get(0).id()), State.SHOWN, null, null, null, null, null),
                        new Note("ann", "bound the queue"),
                        changed -> {});

        assertThat(database.column("SELECT state FROM outbox_failure ORDER BY id"))
                .containsExactly("retrying", "waiting");
        assertThat(positions(outbox.due(ALL))).isEqualTo(positions(events));
    }

    private Duration returnedFor() {
        return outbox.due(ALL).get(0).kept().returnedFor();
    }

    private static Failed triedOn(Event event, Duration wait) {
        return new Failed(event, State.PARKED, true, 3, 3, wait, Reason.UNROUTABLE, "no queue");
    }

    @Test
    void followers_whose_aggregate_is_free_by_now_are_due_at_once() {
        database.write("a");
        database.write("a");
        List<Event> events = claimed();

        keep(List.of(), List.of(), events);

        assertThat(positions(outbox.due(ALL))).isEqualTo(positions(events));
    }

    @Test
    void a_paused_event_goes_on_when_its_route_is_resumed_and_not_before() {
        database.write("a");
        database.write("a");
        List<Event> events = claimed();
        database.execute("""
            INSERT INTO outbox_pause (aggregate_type, event_type, paused_by, reason) \
            VALUES ('*', 'OrderPlaced', 'x', 'y')\
            """);
        assertThat(outbox.pauses())
                .isEqualTo(new ByRoute<>(false, List.of(new ByRoute.Rule<>("*", "OrderPlaced", true))));
        Failed held = new Failed(events.get(0), State.PAUSED, true, 0, 0, null, Reason.PAUSED, "paused");
        keep(List.of(), List.of(held), List.of(events.get(1)));

        outbox.resume(owned);
        assertThat(outbox.due(ALL)).isEmpty();

        database.execute("DELETE FROM outbox_pause");
        outbox.resume(owned);
        assertThat(positions(outbox.due(ALL))).isEqualTo(positions(events));
        assertThat(outbox.pauses()).isEqualTo(ByRoute.always(false));
    }

    // hazard 20
    @Test
    void whoever_has_lost_the_lane_writes_nothing() {
        database.write("a");
        Event event = claimed().get(0);
        database.execute("UPDATE outbox_lane SET epoch = epoch + 1");

        assertThat(keep(List.of(), List.of(retrying(event, LONG)), List.of())).isEmpty();

        assertThat(database.column("SELECT id FROM outbox_failure")).isEmpty();
        assertThat(database.column("SELECT position FROM outbox")).hasSize(1);
    }

    // hazard 20
    @Test
    void a_relay_that_stands_still_while_it_writes_does_not_keep_its_lane_from_others() throws Exception {
        try (Connection frozen = database.asTheRelay(Session.Use.LANE).getConnection();
                Statement statement = frozen.createStatement()) {
            if (kind == DatabaseKind.MYSQL) {
                dropTheMinuteOf(statement);
            }
            frozen.setAutoCommit(false);
            statement.execute("SELECT 1 FROM " + (database.isInnoDb() ? "" : "public.")
                    + "outbox_lane WHERE lane = 0 FOR UPDATE");
            database.execute("SET lock_timeout = '60s'; UPDATE outbox_lane SET lease_until = clock_timestamp()");

            assertThat(outbox.acquire("another", 1, LONG)).hasSize(1);
        }
    }

    /** Asks whether MySQL would wait a minute, and lets it wait less. */
    private static void dropTheMinuteOf(Statement statement) throws SQLException {
        try (ResultSet row = statement.executeQuery("SELECT @@wait_timeout")) {
            row.next();
            assertThat(row.getInt(1)).isEqualTo(60);
        }
        statement.execute("SET wait_timeout = 3");
    }

    @Test
    void an_event_that_fails_again_waits_behind_one_that_a_person_has_put_in_front_of_it() {
        database.write("a");
        database.write("a");
        List<Event> events = claimed();
        keep(List.of(), List.of(parked(events.get(0), false)), List.of());
        keep(List.of(), List.of(retrying(events.get(1), Duration.ZERO)), List.of());
        Event second = outbox.due(ALL).get(0);
        database.execute("""
            UPDATE outbox_failure SET state = 'retrying', blocking = true, next_attempt_at = now() \
            WHERE state = 'parked'\
            """);

        keep(List.of(), List.of(retrying(second, Duration.ZERO)), List.of());

        assertThat(database.column("SELECT state FROM outbox_failure ORDER BY id"))
                .containsExactly("retrying", "waiting");
        assertThat(positions(outbox.due(ALL))).isEqualTo(positions(events));
    }

    // hazard 16
    @Test
    void positions_that_begin_again_do_not_reorder_failures() {
        database.write("other");
        database.write("a");
        keep(List.of(), List.of(retrying(claimed().get(1), Duration.ZERO)), List.of());
        database.execute("TRUNCATE outbox RESTART IDENTITY");
        database.write("a");

        keep(List.of(), List.of(), claimed());

        assertThat(positions(outbox.due(ALL))).containsExactly(2L, 1L);
    }

    @Test
    void no_more_is_read_than_asked_for_and_an_aggregate_is_never_read_with_a_gap() {
        for (int n = 0; n < 20; n++) {
            database.write(n % 2 == 0 ? "a" : "b", new byte[100]);
        }
        keep(List.of(), List.of(), claimed());

        assertThat(outbox.due(new Due(0, 1_000, 10_000_000, 3))).hasSize(6);
        List<Event> five = outbox.due(new Due(0, 5, 10_000_000, 100));
        assertThat(five)
                .hasSize(5)
                .allMatch(event -> event.aggregate().equals(five.get(0).aggregate()));
        assertThat(five.get(0).position()).isLessThanOrEqualTo(2);
        assertThat(positions(outbox.due(new Due(0, 1_000, 350, 100)))).containsExactly(1L, 2L, 3L, 4L);
    }

    @Test
    void the_rights_of_the_relay_are_enough() {
        database.write("a");
        OutboxStore asRelay = database.outbox(database.loginWithOnly("outbox_relay"), 1_000);
        try {
            List<Event> events = asRelay.claim(new Claim(owned, 0, 10, 1_000, List.of()))
                    .orElseThrow()
                    .events();
            asRelay.keep(
                    owned,
                    OutboxDatabase.life(asRelay, owned),
                    new Changes(List.of(), List.of(retrying(events.get(0), Duration.ZERO)), List.of()));
            List<Event> due = asRelay.due(ALL);
            asRelay.keep(
                    owned,
                    OutboxDatabase.life(asRelay, owned),
                    new Changes(List.of(), List.of(parked(due.get(0), true)), List.of()));

            assertThat(asRelay.failures(List.of(0)).events()).isEqualTo(Map.of("parked", 1L, "waiting", 0L));
        } finally {
            database.dropLogin();
        }
    }

    private List<Event> claimed() {
        return outbox.claim(new Claim(owned, 0, 1_000, 10_000_000, List.of()))
                .orElseThrow()
                .events();
    }

    private Optional<Set<Aggregate>> keep(List<Event> published, List<Failed> failed, List<Event> followers) {
        return outbox.keep(owned, OutboxDatabase.life(outbox, owned), new Changes(published, failed, followers));
    }

    private static Failed retrying(Event event, Duration backoff) {
        return new Failed(event, State.RETRYING, true, 1, 2, backoff, Reason.UNROUTABLE, "no queue");
    }

    private static Failed parked(Event event, boolean blocking) {
        return new Failed(event, State.PARKED, blocking, 3, 3, null, Reason.UNROUTABLE, "no queue");
    }

    private static List<Long> positions(List<Event> events) {
        return events.stream().map(Event::position).toList();
    }
}
