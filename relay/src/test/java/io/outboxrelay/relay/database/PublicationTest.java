package io.outboxrelay.relay.database;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.outboxrelay.relay.lane.Event;
import io.outboxrelay.relay.lane.FailurePolicy.Failed;
import io.outboxrelay.relay.lane.FailurePolicy.State;
import io.outboxrelay.relay.lane.LaneStore.Changes;
import io.outboxrelay.relay.lane.LaneStore.Claim;
import io.outboxrelay.relay.lane.LaneStore.OwnedLane;
import io.outboxrelay.relay.lane.Outcome.Reason;
import io.outboxrelay.relay.testing.OutboxDatabase;
import io.outboxrelay.testservers.Postgres;
import io.outboxrelay.testservers.PrivateServer;
import io.outboxrelay.testservers.Servers;
import io.outboxrelay.testservers.TestDatabase;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The outbox inside a publication, on either side of logical replication. */
@Tag("server")
class PublicationTest {

    private static final Duration LONG = Duration.ofHours(1);

    /** The columns that logical replication carries, and the identity of rows. */
    private static final Map<String, String> REPLICATED = Map.of(
            "outbox", "position",
            "outbox_failure", "id",
            "outbox_published", "id",
            "outbox_pause", "aggregate_type",
            "outbox_lane", "lane");

    private static Map<Integer, PrivateServer<Postgres>> servers;

    @BeforeAll
    static void start() {
        servers = Map.of(
                15, Servers.startPrivatePostgres(15, "wal_level=logical"),
                18, Servers.startPrivatePostgres(18, "wal_level=logical"));
    }

    @AfterAll
    static void stop() {
        servers.values().forEach(PrivateServer::close);
    }

    // hazard 68
    @ParameterizedTest(name = "PostgreSQL {0} {1}")
    @CsvSource({"15, ''", "18, ''", "18, WITH (publish_generated_columns = stored)"})
    void a_publication_for_all_tables_stops_no_relay(int major, String options) {
        try (OutboxDatabase database = OutboxDatabase.installedIn(newDatabase(major), 1)) {
            database.execute("CREATE PUBLICATION everything FOR ALL TABLES " + options);

            work(database);

            assertThat(database.number("SELECT count(*) FROM outbox_published")).isEqualTo(1);
            assertThat(database.number("SELECT count(*) FROM outbox_failure")).isEqualTo(1);
            // Whatever tables there are, the days of retention among them, that were made later than the publication.
            for (String change : database.column("""
                    SELECT DISTINCT ON (c.relname, statement) format(statement, c.relname, a.attname)
                    FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND attnum > 0,
                         unnest(ARRAY['UPDATE %1$I SET %2$I = %2$I', 'DELETE FROM %1$I']) AS statement
                    WHERE relkind IN ('r', 'p') AND relnamespace = 'public'::regnamespace
                      AND attgenerated = '' AND attidentity = '' AND NOT attisdropped
                    """)) {
                database.execute(change);
            }
        }
    }

    // hazard 68
    @ParameterizedTest(name = "from PostgreSQL {0} to {1}")
    @CsvSource({"15, 18", "18, 15"})
    void a_subscriber_follows_every_change_and_computes_lanes_of_its_own(int from, int to) {
        try (OutboxDatabase publisher = OutboxDatabase.installedIn(newDatabase(from), 1);
                OutboxDatabase subscriber = OutboxDatabase.installedIn(newDatabase(to), 16)) {
            publisher.write("before");
            publisher.execute("CREATE PUBLICATION everything FOR ALL TABLES WITH (publish_via_partition_root = true)");
            subscriber.execute("TRUNCATE outbox_lane, outbox_schema_history");
            subscriber.execute(
                    "CREATE SUBSCRIPTION %s CONNECTION 'host=%s port=%d dbname=%s user=%s' PUBLICATION everything"
                            .formatted(
                                    subscriber.database().name(),
                                    publisher.database().host(),
                                    publisher.database().port(),
                                    publisher.database().name(),
                                    publisher.database().user()));
            try {
                work(publisher);
                publisher.write("after");

                await().atMost(Duration.ofSeconds(30)).untilAsserted(() -> follows(publisher, subscriber));
                assertThat(subscriber.column("SELECT aggregate_id FROM outbox ORDER BY position"))
                        .containsExactly("before", "after");
                String lanes = "SELECT string_agg(lane::text, ' ' ORDER BY position) FROM outbox";
                String computed = subscriber.value(lanes);
                subscriber.execute("UPDATE outbox SET aggregate_id = aggregate_id"); // computes them again
                assertThat(computed).isEqualTo(subscriber.value(lanes)).isNotEqualTo(publisher.value(lanes));
            } finally {
                subscriber.execute("DROP SUBSCRIPTION " + subscriber.database().name());
            }
        }
    }

    /** All that a relay does to the tables: of three events one is published, one fails and one is behind that. */
    private static void work(OutboxDatabase database) {
        OutboxStore outbox = database.retainingOutbox();
        OwnedLane owned = outbox.acquire("relay", 1, LONG).get(0);
        outbox.heartbeat("relay", LONG);
        outbox.renew("relay", List.of(owned.lane()), LONG);
        outbox.retain(Duration.ofDays(7));
        long published = database.write("published");
        long failed = database.write("failed");
        List<Event> events = outbox.claim(new Claim(owned, published - 1, 1_000, 1_000_000, List.of()))
                .orElseThrow()
                .events();
        assertThat(outbox.settle(owned, OutboxDatabase.life(outbox, owned), events.subList(0, 1)))
                .isEqualTo(1);
        assertThat(events.get(1).position()).isEqualTo(failed);
        Failed parked =
                new Failed(events.get(1), State.PARKED, true, 3, 3, Duration.ZERO, Reason.UNROUTABLE, "no queue");
        outbox.keep(owned, OutboxDatabase.life(outbox, owned), new Changes(List.of(), List.of(parked), List.of()));
        database.execute("INSERT INTO outbox_pause VALUES ('Cart', '*', now(), 'ann', 'a sale')");
        database.execute("DELETE FROM outbox_pause");
        outbox.release(owned);
        outbox.goodbye("relay");
    }

    private static void follows(OutboxDatabase publisher, OutboxDatabase subscriber) {
        assertThat(subscriber.number("SELECT count(*) FROM pg_subscription_rel WHERE srsubstate <> 'r'"))
                .isZero();
        REPLICATED.forEach((table, key) -> {
            String rows = "SELECT (to_jsonb(t) - '%s') FROM %s t ORDER BY %s"
                    .formatted(table.equals("outbox") ? "lane" : "", table, key);
            assertThat(subscriber.column(rows)).as(table).isEqualTo(publisher.column(rows));
        });
    }

    private static TestDatabase newDatabase(int major) {
        return servers.get(major).newDatabase();
    }
}
