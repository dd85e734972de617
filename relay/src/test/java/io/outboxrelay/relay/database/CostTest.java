package io.outboxrelay.relay.database;

import static org.assertj.core.api.Assertions.assertThat;

import io.outboxrelay.relay.lane.Event.Aggregate;
import io.outboxrelay.relay.lane.LaneStore.Claim;
import io.outboxrelay.relay.lane.LaneStore.Due;
import io.outboxrelay.relay.lane.LaneStore.OwnedLane;
import io.outboxrelay.relay.testing.OutboxDatabase;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.springframework.jdbc.datasource.SingleConnectionDataSource;

/**
 * What statements cost when much is there that is none of their business: counted in blocks that are read, not in time.
 */
@Tag("server")
class CostTest {

    private static final int EVENTS = 1_000;
    private static final int FAILURES = 100_000;
    private static final int MAX_EVENT_BYTES = 1_000_000;

    private OutboxDatabase database;
    private Plans plans;

    @BeforeEach
    void create() {
        database = OutboxDatabase.withLanes(1);
        plans = new Plans(database, MAX_EVENT_BYTES);
    }

    @AfterEach
    void drop() {
        database.close();
    }

    // hazard 33
    @Test
    void a_million_deleted_events_behind_an_open_transaction_do_not_make_a_claim_read_more() throws Exception {
        write(EVENTS);
        long before = Plans.blocks(claim(0));
        database.execute("DELETE FROM outbox");
        try (OutboxDatabase.Transaction open = database.begin()) {
            open.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ");
            open.execute("SELECT 1 FROM outbox_lane"); // from now on nothing that is deleted can be cleaned up
            write(1_000_000);
            database.execute("DELETE FROM outbox");
            long floor = database.number("SELECT last_value FROM outbox_position_seq");
            write(EVENTS);

            String plan = claim(floor);

            assertThat(plan).contains("rows=1000 ");
            assertThat(Plans.blocks(plan)).as(plan).isLessThan(2 * before + 10);
            assertThat(Plans.blocks(claim(0)))
                    .as("without the floor all the deleted ones are looked at")
                    .isGreaterThan(100 * before);
        }
    }

    @Test
    void the_events_of_other_lanes_are_not_read_although_a_position_is_unique_among_all() throws Exception {
        try (OutboxDatabase two = OutboxDatabase.withLanes(2)) {
            plans = new Plans(two, MAX_EVENT_BYTES);
            two.write("a");
            int busy = (int) two.number("SELECT lane FROM outbox");
            two.execute("""
                INSERT INTO outbox (aggregate_type, aggregate_id, event_type, payload, content_type)
                SELECT 'Order', 'a', 'OrderPlaced', '{}', 'application/json' FROM generate_series(1, 100000) n\
                """);
            two.execute("VACUUM ANALYZE outbox");

            assertThat(claim(1 - busy, 0)).satisfies(plan -> costs(plan, 20));
            assertThat(plans.of(outbox -> outbox.lanesWithEvents(Map.of(1 - busy, 0L))))
                    .satisfies(plan -> costs(plan, 20));
        }
    }

    @Test
    void a_look_for_events_is_planned_once() throws Exception {
        try (Connection session = database.asTheRelay(Session.Use.LANE).getConnection()) {
            OutboxStore outbox = database.outbox(new SingleConnectionDataSource(session, true), MAX_EVENT_BYTES);
            for (int look = 0; look < 20; look++) {
                outbox.lanesWithEvents(Map.of(0, 0L));
            }

            try (Statement statement = session.createStatement();
                    ResultSet plans = statement.executeQuery(
                            "SELECT sum(custom_plans), sum(generic_plans) FROM pg_prepared_statements"
                                    + " WHERE statement LIKE '%AS f (lane, floor)%'")) {
                plans.next();
                assertThat(plans.getLong(1)).isZero();
                assertThat(plans.getLong(2)).isPositive();
            }
        }
    }

    @Test
    void a_hundred_thousand_events_that_wait_behind_a_failure_do_not_make_a_claim_of_others_read_more()
            throws Exception {
        write(EVENTS);
        long before = Plans.blocks(claim(0));

        fail(1);

        String plan = claim(0);
        assertThat(plan).contains("rows=1000 ").doesNotContain("outbox_failure");
        assertThat(Plans.blocks(plan)).as(plan).isLessThan(2 * before + 10);
    }

    @Test
    void failures_of_few_aggregates_are_not_read_for_the_first_of_each() throws Exception {
        database.execute("ANALYZE outbox_failure"); // of the empty table, as right after a burst of failures
        fail(3);
        assertThat(due())
                .as("with old statistics")
                .satisfies(plan -> costs(plan, 600))
                .contains("outbox_failure_aggregate");
        database.execute("VACUUM ANALYZE outbox_failure");

        assertThat(due()).satisfies(plan -> costs(plan, 600)).contains("outbox_failure_aggregate");
        assertThat(plans.of(outbox -> outbox.blocked(0))).satisfies(plan -> costs(plan, 50));
        assertThat(plans.of(outbox -> outbox.lanesWithEvents(Map.of(0, 0L)))).satisfies(plan -> costs(plan, 50));
        assertThat(plans.of(outbox -> outbox.holdBack(0, aggregates(3)))).satisfies(plan -> costs(plan, 100));
        assertThat(plans.of(outbox -> outbox.moveUp(0, aggregates(3)))).satisfies(plan -> costs(plan, 100));
        assertThat(plans.of(outbox -> outbox.free(0, aggregates(3)))).satisfies(plan -> costs(plan, 50));
        assertThat(plans.of(outbox -> outbox.resume(0))).satisfies(plan -> costs(plan, 50));
        assertThat(plans.of(outbox -> outbox.failures(List.of(0))))
                .as("the age of the oldest is in the index")
                .contains("Index Only Scan using outbox_failure_head");
    }

    @Test
    void failures_of_small_aggregates_behind_a_large_one_are_found_without_reading_that() throws Exception {
        fail(1);
        database.execute("""
            INSERT INTO outbox_failure (lane, position, event_id, aggregate_type, aggregate_id, event_type, payload,
                content_type, headers, occurred_at, state, next_attempt_at)
            SELECT 0, n, gen_random_uuid(), 'Order', 'small ' || n, 'OrderPlaced', '{}', 'application/json', '{}',
                   clock_timestamp(), 'retrying', clock_timestamp()
            FROM generate_series(1, 4) n\
            """);
        assertThat(due())
                .as("without statistics")
                .satisfies(plan -> costs(plan, 600))
                .contains("outbox_failure_aggregate");
        database.execute("VACUUM ANALYZE outbox_failure");

        assertThat(due()).satisfies(plan -> costs(plan, 600)).contains("outbox_failure_aggregate");
        assertThat(plans.of(outbox -> outbox.holdBack(0, aggregates(3, "small "))))
                .satisfies(plan -> costs(plan, 100));
        assertThat(plans.of(outbox -> outbox.moveUp(0, aggregates(3, "small "))))
                .satisfies(plan -> costs(plan, 100));
        assertThat(plans.of(outbox -> outbox.free(0, aggregates(3, "small ")))).satisfies(plan -> costs(plan, 100));
    }

    @Test
    void of_the_failures_of_many_aggregates_a_batch_is_read_and_not_all_of_them() throws Exception {
        database.execute("ANALYZE outbox_failure"); // of the empty table, as right after a burst of failures
        fail(FAILURES);
        assertThat(due()).as("with old statistics").satisfies(plan -> costs(plan, 10_000));
        database.execute("VACUUM ANALYZE outbox_failure");

        assertThat(due()).satisfies(plan -> costs(plan, 10_000));
        assertThat(plans.of(outbox -> outbox.lanesWithEvents(Map.of(0, 0L)))).satisfies(plan -> costs(plan, 50));
        assertThat(plans.of(outbox -> outbox.holdBack(0, aggregates(100)))).satisfies(plan -> costs(plan, 2_000));
        assertThat(plans.of(outbox -> outbox.moveUp(0, aggregates(100)))).satisfies(plan -> costs(plan, 2_000));
        assertThat(plans.of(outbox -> outbox.free(0, aggregates(100)))).satisfies(plan -> costs(plan, 1_000));
    }

    private static void costs(String plan, long most) {
        assertThat(Plans.blocks(plan)).as(plan).isLessThan(most);
        assertThat(plan).doesNotContain("Seq Scan on outbox_failure");
    }

    private void write(int events) {
        database.execute("""
            INSERT INTO outbox (aggregate_type, aggregate_id, event_type, payload, content_type)
            SELECT 'Order', n %% 1000, 'OrderPlaced', '{}', 'application/json' FROM generate_series(1, %d) n\
            """.formatted(events));
    }

    /** Inserts this number of failures, spread over aggregates: the first of each is due, the others wait. */
    private void fail(int aggregates) {
        database.execute("""
            INSERT INTO outbox_failure (lane, position, event_id, aggregate_type, aggregate_id, event_type, payload,
                content_type, headers, occurred_at, state, attempts, failures, next_attempt_at, first_failed_at, reason)
            SELECT 0, n, gen_random_uuid(), 'Order', n %% %2$d, 'OrderPlaced', '{}', 'application/json', '{}',
                   clock_timestamp(), CASE WHEN n < %2$d THEN 'retrying' ELSE 'waiting' END, 0, 0,
                   CASE WHEN n < %2$d THEN clock_timestamp() END, NULL, NULL
            FROM generate_series(0, %1$d - 1) n\
            """.formatted(FAILURES, aggregates));
    }

    private String claim(long above) throws SQLException {
        return claim(0, above);
    }

    private String claim(int lane, long above) throws SQLException {
        OwnedLane owned = database.owned(lane);
        return plans.of(outbox -> outbox.claim(new Claim(owned, above, EVENTS, 10_000_000, List.of())));
    }

    private String due() throws SQLException {
        return plans.of(outbox -> outbox.due(new Due(0, EVENTS, 10_000_000, 100)));
    }

    private static Set<Aggregate> aggregates(int count) {
        return aggregates(count, "");
    }

    private static Set<Aggregate> aggregates(int count, String prefix) {
        return IntStream.range(0, count)
                .mapToObj(n -> new Aggregate("Order", prefix + n))
                .collect(Collectors.toSet());
    }
}
