package io.outboxrelay.schema;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.outboxrelay.testservers.Postgres;
import io.outboxrelay.testservers.PrivateServer;
import io.outboxrelay.testservers.Servers;
import io.outboxrelay.testservers.TestDatabase;
import java.sql.SQLException;
import javax.sql.DataSource;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("server")
class RolesTest {

    private static final String EVENT = """
            INSERT INTO outbox (aggregate_type, aggregate_id, event_type, payload, content_type)
            VALUES ('order', '1', 'OrderPlaced', 'x', 'text/plain')""";

    private static final String GIVEN_UP = """
            INSERT INTO inbox_failure (consumer, event_id, aggregate_type, aggregate_id, event_type, payload,
                headers, queue, state)
            VALUES ('billing', gen_random_uuid(), 'order', '1', 'OrderPlaced', 'x', '{}', 'billing.orders',
                'waiting')""";

    private static TestDatabase database;

    @BeforeAll
    static void install() {
        database = Servers.postgres().newDatabase();
        OutboxSchema.install(database.dataSource());
    }

    @AfterAll
    static void drop_the_database() {
        database.close();
    }

    @Test
    void a_writer_adds_events_and_can_do_nothing_else() throws Exception {
        DataSource writer = Sql.as("outbox_writer", database);

        Sql.execute(writer, EVENT);
        Sql.execute(writer, """
                INSERT INTO outbox (event_id, aggregate_type, aggregate_id, event_type, payload, content_type, headers)
                VALUES (gen_random_uuid(), 'order', '1', 'OrderPlaced', 'x', 'text/plain', '{"a": "b"}')""");
        assertThat(OutboxSchema.defaults().version(writer)).hasValue(OutboxSchema.VERSION);

        assertDenied(() -> Sql.execute(writer, "SELECT event_id FROM outbox"));
        assertDenied(() -> Sql.execute(writer, EVENT + " RETURNING event_id"));
        assertDenied(() -> Sql.execute(writer, "UPDATE outbox SET payload = ''"));
        assertDenied(() -> Sql.execute(writer, "DELETE FROM outbox"));
        assertDenied(() -> Sql.execute(writer, "TRUNCATE outbox"));
        assertDenied(() -> Sql.execute(writer, "INSERT INTO outbox (position) VALUES (1)"));
        for (String table : new String[] {
            "outbox_lane",
            "outbox_instance",
            "outbox_failure",
            "outbox_pause",
            "outbox_audit",
            "outbox_published",
            "inbox",
            "inbox_failure",
            "inbox_instance",
            "inbox_history",
            "outbox_subscription"
        }) {
            assertDenied(() -> Sql.execute(writer, "SELECT * FROM " + table));
        }
        assertDenied(() -> Sql.execute(writer, "SELECT * FROM outbox_retain('7 days')"));
        assertDenied(() -> Sql.execute(writer, "INSERT INTO inbox VALUES ('billing', gen_random_uuid())"));
        assertDenied(() -> Sql.execute(writer, GIVEN_UP));
    }

    @Test
    void a_writer_may_call_the_relay_where_the_owner_has_turned_that_on() throws Exception {
        String enabled = "SELECT tgenabled FROM pg_trigger WHERE tgname = 'outbox_wake'";
        assertThat(Sql.value(database.dataSource(), enabled)).as("disabled").isEqualTo("D");
        for (String role : new String[] {"outbox_writer", "outbox_relay", "outbox_admin"}) {
            assertDenied(() -> Sql.execute(Sql.as(role, database), "SELECT outbox_wakeup(true)"));
        }

        Sql.execute(database.dataSource(), "SELECT outbox_wakeup(true)");
        Sql.execute(Sql.as("outbox_writer", database), EVENT);
        assertThat(Sql.value(database.dataSource(), enabled)).isEqualTo("O");

        Sql.execute(database.dataSource(), "SELECT outbox_wakeup(false)");
        assertThat(Sql.value(database.dataSource(), enabled)).isEqualTo("D");
    }

    @Test
    void a_consumer_has_the_inbox_and_nothing_else() throws Exception {
        DataSource consumer = Sql.as("outbox_consumer", database);

        Sql.execute(consumer, "INSERT INTO inbox VALUES ('billing', gen_random_uuid()) ON CONFLICT DO NOTHING");
        Sql.execute(consumer, "SELECT * FROM inbox");
        Sql.execute(consumer, "DELETE FROM inbox WHERE processed_at < clock_timestamp() - interval '30 days'");
        Sql.execute(consumer, GIVEN_UP);
        Sql.execute(consumer, "SELECT * FROM inbox_failure ORDER BY id FOR UPDATE SKIP LOCKED");
        Sql.execute(consumer, "UPDATE inbox_failure SET state = 'retrying', next_attempt_at = clock_timestamp()");
        Sql.execute(consumer, "DELETE FROM inbox_failure");
        Sql.execute(consumer, """
                INSERT INTO inbox_instance (consumer, instance, alive_until) VALUES ('billing', 'a', clock_timestamp())
                ON CONFLICT (consumer, instance) DO UPDATE SET alive_until = excluded.alive_until""");
        Sql.execute(consumer, "DELETE FROM inbox_instance WHERE alive_until <= clock_timestamp()");
        Sql.execute(
                consumer,
                "INSERT INTO inbox_history (consumer, queue, subscription) VALUES ('billing', 'q', gen_random_uuid())");
        Sql.execute(consumer, "SELECT queue FROM inbox_history");

        assertDenied(() -> Sql.execute(consumer, "UPDATE inbox SET processed_at = clock_timestamp()"));
        assertDenied(() -> Sql.execute(consumer, "DELETE FROM inbox_history"));
        assertDenied(() -> Sql.execute(consumer, "SELECT * FROM outbox_subscription"));
        assertDenied(() -> Sql.execute(consumer, EVENT));
        assertDenied(() -> Sql.execute(consumer, "SELECT * FROM outbox"));
        assertDenied(() -> Sql.execute(consumer, "SELECT * FROM outbox_failure"));
        assertDenied(() -> Sql.execute(consumer, "ALTER TABLE inbox_failure ADD COLUMN x int"));
    }

    @Test
    void a_relay_reads_and_deletes_events_and_leases_lanes_but_changes_no_table() throws Exception {
        DataSource relay = Sql.as("outbox_relay", database);

        Sql.execute(relay, "SELECT * FROM outbox WHERE lane = 0 AND position > 0 ORDER BY position LIMIT 1000");
        Sql.execute(relay, "DELETE FROM outbox WHERE lane = 0 AND position = ANY ('{1,2}')");
        Sql.execute(relay, "SELECT last_value FROM outbox_position_seq");
        Sql.execute(relay, "UPDATE outbox_lane SET owner = 'a', epoch = epoch + 1, lease_until = clock_timestamp()");
        Sql.execute(relay, "UPDATE outbox_lane SET owner = NULL, lease_until = NULL");
        Sql.execute(relay, "INSERT INTO outbox_instance (instance, alive_until) VALUES ('a', clock_timestamp())");
        Sql.execute(relay, "DELETE FROM outbox_instance");
        Sql.execute(relay, "INSERT INTO outbox_incarnation DEFAULT VALUES ON CONFLICT DO NOTHING");
        Sql.execute(relay, """
                INSERT INTO outbox_failure (lane, position, event_id, aggregate_type, aggregate_id, event_type, payload,
                    content_type, headers, occurred_at, state)
                SELECT 0, 1, gen_random_uuid(), 'order', '1', 'OrderPlaced', 'x', 'text/plain', '{}', now(),
                    'waiting'""");
        Sql.execute(relay, "UPDATE outbox_failure SET state = 'retrying', next_attempt_at = clock_timestamp()");
        Sql.execute(relay, "DELETE FROM outbox_failure");
        Sql.execute(relay, "SELECT * FROM outbox_pause");
        Sql.execute(relay, """
                INSERT INTO outbox_published (lane, position, event_id, aggregate_type, aggregate_id, event_type,
                    payload, content_type, headers, occurred_at)
                SELECT 0, 1, gen_random_uuid(), 'order', '1', 'OrderPlaced', 'x', 'text/plain', '{}', now()""");
        Sql.execute(relay, "SELECT * FROM outbox_retain('7 days')");

        assertDenied(() -> Sql.execute(relay, EVENT));
        assertDenied(() -> Sql.execute(relay, "UPDATE outbox SET payload = ''"));
        assertDenied(() -> Sql.execute(relay, "DELETE FROM outbox_lane"));
        assertDenied(() -> Sql.execute(relay, "DELETE FROM outbox_pause"));
        assertDenied(() -> Sql.execute(relay, "SELECT * FROM outbox_audit"));
        for (String table :
                new String[] {"inbox", "inbox_failure", "inbox_instance", "inbox_history", "outbox_subscription"}) {
            assertDenied(() -> Sql.execute(relay, "SELECT * FROM " + table));
        }
        assertDenied(() -> Sql.execute(relay, GIVEN_UP));
        assertDenied(() -> Sql.execute(relay, "UPDATE outbox_published SET payload = ''"));
        assertDenied(() -> Sql.execute(relay, "DELETE FROM outbox_published"));
        assertDenied(() -> Sql.execute(relay, "SELECT outbox_published_day('2020-01-01')"));
        assertDenied(() -> Sql.execute(relay, "SELECT nextval('outbox_position_seq')"));
        assertDenied(() -> Sql.execute(relay, "ALTER TABLE outbox ADD COLUMN x int"));
        assertDenied(() -> Sql.execute(relay, "DROP TABLE outbox"));
        assertDenied(() -> Sql.execute(relay, "CREATE INDEX ON outbox (event_id)"));
    }

    @Test
    void an_admin_changes_all_rows_but_no_table() throws Exception {
        DataSource admin = Sql.as("outbox_admin", database);

        Sql.execute(admin, "UPDATE outbox_lane SET owner = NULL, lease_until = NULL");
        Sql.execute(admin, "DELETE FROM outbox_instance");
        Sql.execute(admin, "DELETE FROM inbox WHERE consumer = 'nobody'");
        Sql.execute(admin, "UPDATE inbox_failure SET attempts = 0 WHERE state = 'parked'");
        Sql.execute(admin, "DELETE FROM inbox_failure WHERE consumer = 'nobody'");
        Sql.execute(admin, "SELECT * FROM inbox_instance");
        Sql.execute(admin, "DELETE FROM inbox_history WHERE consumer = 'nobody'");
        Sql.execute(admin, "UPDATE outbox_subscription SET events = 0");
        Sql.execute(admin, "SELECT * FROM outbox");
        Sql.execute(admin, "DELETE FROM outbox_failure");
        Sql.execute(admin, "DELETE FROM outbox_pause");
        Sql.execute(admin, "SELECT * FROM outbox_published");
        Sql.execute(admin, "DELETE FROM outbox_published");
        Sql.execute(admin, """
                INSERT INTO outbox_audit (who, action, what, events, reason)
                VALUES ('a', 'retry', 'all', 0, 'none')""");

        assertThat(Sql.value(admin, "SELECT concat(db_user, ' ', who) FROM outbox_audit"))
                .isEqualTo(database.user() + " a");
        for (String server : new String[] {"id, 7", "at, current_timestamp", "db_user, 'b'"}) {
            String[] forged = server.split(", ");
            assertDenied(() -> Sql.execute(admin, """
                    INSERT INTO outbox_audit (%s, who, action, what, events, reason)
                    VALUES (%s, 'a', 'retry', 'all', 0, 'none')""".formatted(forged[0], forged[1])));
        }
        assertDenied(() -> Sql.execute(admin, "UPDATE outbox_audit SET who = 'b'"));
        assertDenied(() -> Sql.execute(admin, "DELETE FROM outbox_audit"));
        assertDenied(() -> Sql.execute(admin, "SELECT * FROM outbox_retain('7 days')"));
        assertDenied(() -> Sql.execute(admin, "DROP TABLE outbox"));
        assertDenied(() -> Sql.execute(admin, "ALTER TABLE inbox ADD COLUMN x int"));
    }

    @Test
    void a_user_who_may_not_create_roles_installs_all_the_same() throws Exception {
        try (PrivateServer<Postgres> server = Servers.startPrivatePostgres();
                TestDatabase fresh = server.newDatabase()) {
            Sql.execute(fresh.dataSource(), "CREATE ROLE installer; CREATE ROLE outbox_writer");
            Sql.execute(fresh.dataSource(), "GRANT CREATE ON DATABASE " + fresh.name() + " TO installer");

            Installation installation =
                    OutboxSchema.defaults().withSchema("shop").installOn(Sql.as("installer", fresh));

            assertThat(installation.version()).isEqualTo(OutboxSchema.VERSION);
            assertThat(Sql.column(fresh.dataSource(), "SELECT rolname FROM pg_roles WHERE rolname LIKE 'outbox%'"))
                    .as("roles that it could not create stay missing")
                    .containsExactly("outbox_writer");
            Sql.execute(
                    Sql.as("outbox_writer", fresh),
                    EVENT.replace("INTO outbox", "INTO shop.outbox")); // The role that was there has its rights.
        }
    }

    private static void assertDenied(ThrowingCallable action) {
        assertThatThrownBy(action)
                .isInstanceOfSatisfying(
                        SQLException.class, e -> assertThat(e.getSQLState()).isIn("42501", "428C9"));
    }
}
