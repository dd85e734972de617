package io.outboxrelay.relay.database;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.outboxrelay.relay.lane.Event;
import io.outboxrelay.relay.lane.Event.Aggregate;
import io.outboxrelay.relay.lane.LaneStore.Claim;
import io.outboxrelay.relay.lane.LaneStore.Claimed;
import io.outboxrelay.relay.lane.LaneStore.Incarnation;
import io.outboxrelay.relay.lane.LaneStore.OwnedLane;
import io.outboxrelay.relay.testing.OutboxDatabase;
import io.outboxrelay.testservers.DatabaseKind;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
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
class ClaimTest {

    @Parameter
    DatabaseKind kind;

    private static final int MAX_EVENT_BYTES = 1_000;

    private static OutboxDatabase database;
    private static OutboxStore outbox;

    @BeforeParameterizedClassInvocation
    static void install(DatabaseKind kind) {
        database = OutboxDatabase.withLanes(kind, 1);
        outbox = database.outbox(MAX_EVENT_BYTES);
    }

    @AfterParameterizedClassInvocation
    static void drop() {
        database.close();
    }

    @BeforeEach
    void empty() {
        database.execute("TRUNCATE outbox RESTART IDENTITY");
    }

    @Test
    void claims_the_oldest_events_first_and_no_more_than_asked_for() {
        List<Long> written =
                List.of(database.write("b"), database.write("a"), database.write("b"), database.write("c"));

        Claimed claimed = claim(0, 3, Long.MAX_VALUE);

        assertThat(positions(claimed)).isEqualTo(written.subList(0, 3));
        assertThat(claimed.exhausted()).isFalse();
        assertThat(claim(0, 5, Long.MAX_VALUE).exhausted()).isTrue();
    }

    @Test
    void claims_only_above_the_floor() {
        database.write("a");
        long floor = database.write("a");
        long next = database.write("a");

        assertThat(positions(claim(floor, 10, Long.MAX_VALUE))).containsExactly(next);
    }

    @Test
    void stops_reading_at_the_limit_of_bytes() {
        long first = database.write("a", new byte[600]);
        long second = database.write("a", new byte[600]);
        database.write("a", new byte[1]);

        Claimed claimed = claim(0, 10, 601);

        assertThat(positions(claimed)).containsExactly(first, second);
        assertThat(claimed.exhausted()).isFalse();
    }

    @Test
    void reads_one_event_whatever_its_size() {
        long first = database.write("a", new byte[600]);
        database.write("a", new byte[1]);

        assertThat(positions(claim(0, 10, 1))).containsExactly(first);
    }

    @Test
    void a_payload_that_is_too_large_to_be_published_is_not_read_but_its_size_is_known() {
        database.write("a", new byte[MAX_EVENT_BYTES]);
        database.write("b", new byte[MAX_EVENT_BYTES + 1]);

        List<Event> events = claim(0, 10, Long.MAX_VALUE).events();

        assertThat(events.get(0).payload()).hasSize(MAX_EVENT_BYTES);
        assertThat(events.get(1).payload()).isNull();
        assertThat(events.get(1).payloadBytes()).isEqualTo(MAX_EVENT_BYTES + 1);
    }

    @Test
    void what_is_read_has_no_holes_also_where_a_payload_is_too_large() {
        Random random = new Random(7);
        List<Long> written = new ArrayList<>();
        for (int n = 0; n < 60; n++) {
            int bytes = random.nextInt(4) == 0 ? MAX_EVENT_BYTES + random.nextInt(50_000) : random.nextInt(400);
            written.add(database.write("a", new byte[bytes]));
        }
        for (int limit = 1; limit < 12_000; limit += 250) {
            Claimed claimed = claim(0, 100, limit);

            assertThat(positions(claimed))
                    .as("at most %d bytes", limit)
                    .isNotEmpty()
                    .isEqualTo(written.subList(0, claimed.events().size()));
            assertThat(claimed.exhausted())
                    .as("all was read within %d bytes", limit)
                    .isEqualTo(claimed.events().size() == written.size()
                            && claimed.events().stream()
                                            .filter(event -> event.payload() != null)
                                            .mapToLong(Event::payloadBytes)
                                            .sum()
                                    < limit);
        }
    }

    @Test
    void leaves_out_aggregates_by_type_and_id() {
        database.write("a");
        long other = database.write("b");
        database.execute("""
            INSERT INTO outbox (aggregate_type, aggregate_id, event_type, payload, content_type)
            VALUES ('Invoice', 'a', 'InvoiceSent', '', 'text/plain')\
            """);

        Claimed claimed = outbox.claim(new Claim(
                        database.owned(0),
                        0,
                        10,
                        1_000,
                        List.of(new Aggregate("Order", "a"), new Aggregate("Parcel", "b"))))
                .orElseThrow();

        assertThat(claimed.events())
                .extracting(Event::aggregate)
                .containsExactly(new Aggregate("Order", "b"), new Aggregate("Invoice", "a"));
        assertThat(claimed.events().get(0).position()).isEqualTo(other);
    }

    @Test
    void leaves_out_only_aggregates_that_are_the_same_to_the_last_space() {
        database.write("a");
        database.write("a ");
        database.write("A");
        database.write("á");

        Claimed claimed = outbox.claim(new Claim(database.owned(0), 0, 10, 1_000, List.of(new Aggregate("Order", "a"))))
                .orElseThrow();

        assertThat(claimed.events()).extracting(event -> event.aggregate().id()).containsExactly("a ", "A", "á");
    }

    // hazard 42
    @Test
    void reads_every_byte_and_every_word_as_it_was_written() throws SQLException {
        byte[] payload = new byte[512];
        new Random(3).nextBytes(payload);
        payload[0] = 0;
        payload[1] = '\\';
        String id = "it's \"5\" \\x41 \u001f ÄÖ 渋谷 🚚 ";
        try (Connection connection = database.database().dataSource().getConnection();
                PreparedStatement insert = connection.prepareStatement(kind.isInnoDb() ? """
                    INSERT INTO outbox (event_id, aggregate_type, aggregate_id, event_type, payload, content_type,
                                        headers, occurred_at)
                    VALUES (x'0196f3a0000070008000000000000001', 'Ördér', ?, 'Placed', ?, 'application/avro',
                            ?, '2026-03-29 00:30:00.123456')
                    """ : """
                    INSERT INTO outbox (event_id, aggregate_type, aggregate_id, event_type, payload, content_type,
                                        headers, occurred_at)
                    VALUES ('0196f3a0-0000-7000-8000-000000000001', 'Ördér', ?, 'Placed', ?, 'application/avro',
                            ?::jsonb, '2026-03-29 02:30:00.123456+02')\
                    """)) {
            insert.setString(1, id);
            insert.setBytes(2, payload);
            insert.setString(3, "{\"n\": 1.50, \"text\": \"ü\\n\\\"\", \"deep\": {\"list\": [true, null]}}");
            insert.executeUpdate();
        }

        Event event = claim(0, 1, 1_000).events().get(0);

        assertThat(event.id()).hasToString("0196f3a0-0000-7000-8000-000000000001");
        assertThat(event.aggregate()).isEqualTo(new Aggregate("Ördér", id));
        assertThat(event.type()).isEqualTo("Placed");
        assertThat(event.payload()).isEqualTo(payload);
        assertThat(event.payloadBytes()).isEqualTo(payload.length);
        assertThat(event.contentType()).isEqualTo("application/avro");
        assertThat(event.headers())
                .isEqualTo(
                        kind.isInnoDb()
                                ? "{\"n\": 1.50, \"text\": \"ü\\n\\\"\", \"deep\": {\"list\": [true, null]}}"
                                : "{\"n\": 1.50, \"deep\": {\"list\": [true, null]}, \"text\": \"ü\\n\\\"\"}");
        assertThat(event.occurredAt()).isEqualTo(Instant.parse("2026-03-29T00:30:00.123456Z"));
    }

    @Test
    void never_claims_the_events_of_another_lane() {
        try (OutboxDatabase four = OutboxDatabase.withLanes(kind, 4)) {
            OutboxStore store = four.outbox();
            for (int n = 0; n < 40; n++) {
                four.write(n);
            }
            for (int lane = 0; lane < 4; lane++) {
                Claimed claimed = store.claim(new Claim(four.owned(lane), 0, 100, 100_000, List.of()))
                        .orElseThrow();
                assertThat(claimed.events().stream().map(Event::lane)).containsOnly(lane);
                assertThat(positions(claimed))
                        .isNotEmpty()
                        .isEqualTo(
                                four.column("SELECT position FROM outbox WHERE lane = " + lane + " ORDER BY 1").stream()
                                        .map(Long::valueOf)
                                        .toList());
            }
        }
    }

    @Test
    void settles_exactly_the_given_events_of_the_lane_and_says_how_many_there_were() {
        database.write("a");
        long between = database.write("b");
        database.write("a");
        List<Event> events = outbox.claim(new Claim(database.owned(0), 0, 10, 1_000, List.of()))
                .orElseThrow()
                .events();

        assertThat(outbox.settle(
                        database.owned(0),
                        OutboxDatabase.life(outbox, database.owned(0)),
                        List.of(events.get(0), events.get(2))))
                .isEqualTo(2);
        assertThat(outbox.settle(
                        database.owned(0), OutboxDatabase.life(outbox, database.owned(0)), List.of(events.get(0))))
                .isZero();
        assertThat(outbox.settle(
                        new OwnedLane(1, "test", 1),
                        OutboxDatabase.life(outbox, database.owned(0)),
                        List.of(events.get(1))))
                .isZero();
        assertThat(database.column("SELECT position FROM outbox")).containsExactly(String.valueOf(between));
    }

    // hazard 16
    @Test
    void settling_leaves_an_event_alone_that_has_taken_the_position_of_a_confirmed_one() {
        database.write("a");
        List<Event> confirmed = outbox.claim(new Claim(database.owned(0), 0, 10, 1_000, List.of()))
                .orElseThrow()
                .events();
        database.execute("TRUNCATE outbox RESTART IDENTITY");
        long again = database.write("a");
        assertThat(again).isEqualTo(confirmed.get(0).position());

        assertThat(outbox.settle(database.owned(0), OutboxDatabase.life(outbox, database.owned(0)), confirmed))
                .isZero();

        assertThat(database.column("SELECT position FROM outbox")).containsExactly(String.valueOf(again));
    }

    // hazard 11
    @Test
    void a_claim_neither_waits_for_row_locks_nor_takes_any_nor_leaves_a_transaction_open() {
        long first = database.write("a");
        long second = database.write("b");
        try (OutboxDatabase.Transaction one = database.begin();
                OutboxDatabase.Transaction other = database.begin()) {
            one.execute("SELECT * FROM outbox WHERE position = " + first + " FOR UPDATE");
            other.execute("DELETE FROM outbox WHERE position = " + second);

            assertThat(positions(claim(0, 10, 1_000))).containsExactly(first, second);
        }
        if (kind.isInnoDb()) {
            assertThat(database.column("""
                SELECT t.trx_query FROM information_schema.innodb_trx t
                JOIN information_schema.processlist p ON p.id = t.trx_mysql_thread_id
                WHERE p.db = database() AND p.id <> connection_id()""")).isEmpty();
            database.execute("SET lock_timeout = 1; DELETE FROM outbox");
            return;
        }
        assertThat(database.column("""
            SELECT query FROM pg_stat_activity
            WHERE datname = current_database() AND state LIKE 'idle in transaction%'\
            """)).isEmpty();
        assertThat(database.column("""
            SELECT mode FROM pg_locks JOIN pg_stat_activity USING (pid)
            WHERE (relation = 'outbox'::regclass OR locktype = 'tuple') AND backend_type = 'client backend'\
            """)).isEmpty();
        database.execute("SET lock_timeout = 1; DELETE FROM outbox");
    }

    @Test
    void the_index_of_lane_and_position_is_used_on_postgresql_whatever_the_statistics_say() throws SQLException {
        assumeTrue(kind == DatabaseKind.POSTGRESQL, "MariaDB is told by its statements which index to use");
        database.execute("ANALYZE outbox");
        database.execute("""
            INSERT INTO outbox (aggregate_type, aggregate_id, event_type, payload, content_type)
            SELECT 'Order', n % 1000, 'OrderPlaced', '{}', 'application/json' FROM generate_series(1, 100000) n\
            """);
        // With the first statistics the table is empty, with the second its rows lie in the order of the primary key.
        for (String statistics : List.of("SELECT 1", "VACUUM ANALYZE outbox")) {
            database.execute(statistics);
            itsIndexIsUsed();
        }
        assertThat(outbox.lanesWithEvents(Map.of(0, 0L))).isEqualTo(Set.of(0));
    }

    private void itsIndexIsUsed() throws SQLException {
        Plans plans = new Plans(database, MAX_EVENT_BYTES);
        OwnedLane owned = database.owned(0);
        List<Aggregate> without = List.of(new Aggregate("Invoice", "1"));
        assertThat(plans.of(sql -> sql.claim(new Claim(owned, 0, 1000, 10_000_000, List.of()))))
                .satisfies(ClaimTest::readsOneBatch);
        assertThat(plans.of(sql -> sql.claim(new Claim(owned, 0, 1000, 10_000_000, without))))
                .satisfies(ClaimTest::readsOneBatch);
        assertThat(plans.of(sql -> sql.lanesWithEvents(Map.of(0, 0L))))
                .doesNotContain("Seq Scan on outbox ")
                .containsPattern("outbox_lane_position.*rows=1(\\.00)? ");
        List<Event> two = claim(0, 2, 10_000_000).events();
        assertThat(plans.of(sql -> sql.settle(owned, Incarnation.UNKNOWN, two)))
                .containsAnyOf("outbox_pkey", "outbox_lane_position")
                .doesNotContain("Seq Scan");
    }

    private static void readsOneBatch(String plan) {
        assertThat(plan)
                .contains("Index Scan using outbox_lane_position")
                .doesNotContain("Sort")
                .doesNotContain("Seq Scan on outbox ")
                .containsPattern("outbox_lane_position.*rows=1000(\\.00)? ");
    }

    private static Claimed claim(long above, int events, long bytes) {
        return outbox.claim(new Claim(database.owned(0), above, events, bytes, List.of()))
                .orElseThrow();
    }

    private static List<Long> positions(Claimed claimed) {
        return claimed.events().stream().map(Event::position).toList();
    }
}
