package io.outboxrelay.schema;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.outboxrelay.testservers.DatabaseKind;
import io.outboxrelay.testservers.TestDatabase;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;
import javax.sql.DataSource;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.AfterParameterizedClassInvocation;
import org.junit.jupiter.params.BeforeParameterizedClassInvocation;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.MethodSource;

/** As {@link RolesTest}; the roles of MariaDB and MySQL are named after the database. */
@ParameterizedClass(allowZeroInvocations = true)
@MethodSource("io.outboxrelay.testservers.DatabaseKind#innoDbHere")
@Tag("server")
class MariaDbRolesTest {

    @Parameter
    DatabaseKind kind;

    private static final String EVENT = """
            INSERT INTO outbox (aggregate_type, aggregate_id, event_type, payload, content_type)
            VALUES ('order', '1', 'OrderPlaced', 'x', 'text/plain')""";

    private static final String GIVEN_UP = """
            INSERT INTO inbox_failure (consumer, event_id, aggregate_type, aggregate_id, event_type, payload,
                headers, queue, state)
            VALUES ('billing', '', 'order', '1', 'OrderPlaced', 'x', '{}', 'billing.orders', 'waiting')""";

    private static TestDatabase database;
    private static DataSource owner;

    @BeforeParameterizedClassInvocation
    static void install(DatabaseKind kind) {
        database = kind.newDatabase();
        owner = database.dataSource();
        OutboxSchema.install(owner);
    }

    @AfterParameterizedClassInvocation
    static void drop_the_database() {
        database.close();
    }

    private static DataSource as(String role) throws SQLException {
        return as(role, database);
    }

    /** Connections of a user with only the rights of a role that is active by default. */
    private static DataSource as(String role, TestDatabase database) throws SQLException {
        String user = role + "_" + database.name().substring(database.name().length() - 10);
        Sql.execute(owner, "CREATE USER IF NOT EXISTS '" + user + "'@'%' IDENTIFIED BY 'secret'");
        Sql.execute(owner, "GRANT " + database.name() + "_" + role + " TO '" + user + "'@'%'");
        String forWhom = database.kind() == DatabaseKind.MYSQL ? " TO '" : " FOR '";
        Sql.execute(owner, "SET DEFAULT ROLE " + database.name() + "_" + role + forWhom + user + "'@'%'");
        return database.dataSource(user, "secret");
    }

    @Test
    void a_writer_adds_events_and_can_do_nothing_else() throws Exception {
        DataSource writer = as("outbox_writer");

        Sql.execute(writer, EVENT);
        Sql.execute(writer, """
                INSERT INTO outbox (event_id, aggregate_type, aggregate_id, event_type, payload, content_type, headers)
                VALUES (unhex(replace(uuid(), '-', '')), 'order', '1', 'OrderPlaced', 'x', 'text/plain',
                    '{"a": "b"}')""");

        assertDenied(() -> Sql.execute(writer, "SELECT event_id FROM outbox"));
        assertDenied(() -> Sql.execute(writer, "UPDATE outbox SET payload = ''"));
        assertDenied(() -> Sql.execute(writer, "DELETE FROM outbox"));
        assertDenied(() -> Sql.execute(writer, "TRUNCATE outbox"));
        assertDenied(() -> Sql.execute(
                writer,
                EVENT.replace("(aggregate_type", "(position, aggregate_type").replace("('order'", "(1, 'order'")));
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
        assertDenied(() -> Sql.execute(writer, "INSERT INTO inbox (consumer, event_id) VALUES ('billing', '')"));
        assertDenied(() -> Sql.execute(writer, GIVEN_UP));
    }

    @Test
    void a_consumer_has_the_inbox_and_nothing_else() throws Exception {
        DataSource consumer = as("outbox_consumer");

        Sql.execute(
                consumer, "INSERT INTO inbox (consumer, event_id) VALUES ('billing', unhex(left(sha2('1', 256), 32)))");
        Sql.execute(consumer, "SELECT * FROM inbox");
        Sql.execute(consumer, "DELETE FROM inbox WHERE processed_at < utc_timestamp() - INTERVAL 30 DAY");
        Sql.execute(consumer, GIVEN_UP);
        Sql.execute(consumer, "SELECT * FROM inbox_failure ORDER BY id FOR UPDATE SKIP LOCKED");
        Sql.execute(consumer, "UPDATE inbox_failure SET state = 'retrying', next_attempt_at = utc_timestamp(6)");
        Sql.execute(consumer, "DELETE FROM inbox_failure");
        Sql.execute(consumer, """
                INSERT INTO inbox_instance (consumer, instance, alive_until) VALUES ('billing', 'a', utc_timestamp(6))
                ON DUPLICATE KEY UPDATE alive_until = utc_timestamp(6)""");
        Sql.execute(consumer, "DELETE FROM inbox_instance WHERE alive_until <= utc_timestamp(6)");
        Sql.execute(
                consumer,
                "INSERT INTO inbox_history (consumer, queue, subscription)"
                        + " VALUES ('billing', 'q', unhex(repeat('ab', 16)))");
        Sql.execute(consumer, "SELECT queue FROM inbox_history");

        assertDenied(() -> Sql.execute(consumer, "UPDATE inbox SET processed_at = utc_timestamp()"));
        assertDenied(() -> Sql.execute(consumer, "DELETE FROM inbox_history"));
        assertDenied(() -> Sql.execute(consumer, "SELECT * FROM outbox_subscription"));
        assertDenied(() -> Sql.execute(consumer, EVENT));
        assertDenied(() -> Sql.execute(consumer, "SELECT * FROM outbox"));
        assertDenied(() -> Sql.execute(consumer, "SELECT * FROM outbox_failure"));
        assertDenied(() -> Sql.execute(consumer, "ALTER TABLE inbox_failure ADD COLUMN x int"));
    }

    @Test
    void a_relay_reads_and_deletes_events_and_leases_lanes_but_changes_no_table() throws Exception {
        DataSource relay = as("outbox_relay");

        Sql.execute(relay, "SELECT * FROM outbox WHERE lane = 0 AND position > 0 ORDER BY position LIMIT 1000");
        Sql.execute(relay, "DELETE FROM outbox WHERE lane = 0 AND position IN (1, 2)");
        Sql.execute(relay, "UPDATE outbox_lane SET owner = 'a', epoch = epoch + 1, lease_until = utc_timestamp()");
        Sql.execute(relay, "UPDATE outbox_lane SET owner = NULL, lease_until = NULL");
        Sql.execute(relay, "SELECT lane FROM outbox_lane FOR UPDATE SKIP LOCKED");
        Sql.execute(relay, "INSERT INTO outbox_instance (instance, alive_until) VALUES ('a', utc_timestamp())");
        Sql.execute(relay, "DELETE FROM outbox_instance");
        Sql.execute(relay, """
                INSERT INTO outbox_failure (lane, position, event_id, aggregate_type, aggregate_id, event_type, payload,
                    content_type, headers, occurred_at, state)
                VALUES (0, 1, '', 'order', '1', 'OrderPlaced', 'x', 'text/plain', '{}', utc_timestamp(), 'waiting')""");
        Sql.execute(relay, "UPDATE outbox_failure SET state = 'retrying', next_attempt_at = utc_timestamp()");
        Sql.execute(relay, "DELETE FROM outbox_failure");
        Sql.execute(relay, "SELECT * FROM outbox_pause");
        Sql.execute(relay, """
                INSERT INTO outbox_published (lane, position, event_id, aggregate_type, aggregate_id, event_type,
                    payload, content_type, headers, occurred_at)
                VALUES (0, 1, '', 'order', '1', 'OrderPlaced', 'x', 'text/plain', '{}', utc_timestamp())""");
        Sql.execute(relay, "DELETE FROM outbox_published WHERE published_at < utc_timestamp() - INTERVAL 1 DAY");
        assertThat(OutboxSchema.defaults().version(relay)).hasValue(OutboxSchema.VERSION);

        assertDenied(() -> Sql.execute(relay, EVENT));
        assertDenied(() -> Sql.execute(relay, "UPDATE outbox SET payload = ''"));
        assertDenied(() -> Sql.execute(relay, "DELETE FROM outbox_lane"));
        assertDenied(() -> Sql.execute(relay, "DELETE FROM outbox_pause"));
        assertDenied(() -> Sql.execute(relay, "UPDATE outbox_published SET payload = ''"));
        assertDenied(() -> Sql.execute(relay, "SELECT * FROM outbox_audit"));
        for (String table :
                new String[] {"inbox", "inbox_failure", "inbox_instance", "inbox_history", "outbox_subscription"}) {
            assertDenied(() -> Sql.execute(relay, "SELECT * FROM " + table));
        }
        assertDenied(() -> Sql.execute(relay, GIVEN_UP));
        assertDenied(() -> Sql.execute(relay, "ALTER TABLE outbox ADD COLUMN x int"));
        assertDenied(() -> Sql.execute(relay, "ALTER TABLE outbox AUTO_INCREMENT = 1"));
        assertDenied(() -> Sql.execute(relay, "DROP TABLE outbox"));
        assertDenied(() -> Sql.execute(relay, "CREATE INDEX i ON outbox (event_id)"));
    }

    @Test
    void an_admin_changes_all_rows_but_no_table() throws Exception {
        DataSource admin = as("outbox_admin");

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
        Sql.execute(admin, """
                INSERT INTO outbox_audit (who, action, what, events, reason)
                VALUES ('a', 'retry', 'all', 0, 'none')""");

        assertThat(Sql.value(admin, "SELECT concat(db_user, ' ', who) FROM outbox_audit"))
                .startsWith("outbox_admin_")
                .endsWith(" a");
        for (String server : new String[] {"id, 7", "at, current_timestamp", "db_user, 'b'"}) {
            String[] forged = server.split(", ");
            assertDenied(() -> Sql.execute(admin, """
                    INSERT INTO outbox_audit (%s, who, action, what, events, reason)
                    VALUES (%s, 'a', 'retry', 'all', 0, 'none')""".formatted(forged[0], forged[1])));
        }
        assertDenied(() -> Sql.execute(admin, "UPDATE outbox_audit SET who = 'b'"));
        assertDenied(() -> Sql.execute(admin, "DELETE FROM outbox_audit"));
        assertDenied(() -> Sql.execute(admin, "DROP TABLE outbox"));
        assertDenied(() -> Sql.execute(admin, "ALTER TABLE inbox ADD COLUMN x int"));
    }

    @Test
    void nothing_that_is_installed_runs_with_the_rights_of_who_installed_it() throws Exception {
        for (String lent : new String[] {
            "routines WHERE routine_schema", "triggers WHERE trigger_schema", "events WHERE event_schema"
        }) {
            assertThat(Sql.value(owner, "SELECT count(*) FROM information_schema." + lent + " = database()"))
                    .as(lent)
                    .isEqualTo("0");
        }
        assertThat(Sql.column(
                        owner, "SELECT security_type FROM information_schema.views WHERE table_schema = database()"))
                .containsOnly("INVOKER");
    }

    @Test
    void a_session_s_sql_mode_changes_nothing_and_is_given_back() throws Exception {
        try (TestDatabase fresh = kind.newDatabase();
                Connection one = fresh.dataSource().getConnection();
                Connection another = fresh.dataSource().getConnection()) {
            for (Connection connection : List.of(one, another)) {
                connection.createStatement().execute("SET SESSION sql_mode = 'ANSI,NO_BACKSLASH_ESCAPES'");
            }
            String before = Query.text(one, "SELECT @@SESSION.sql_mode");

            assertThat(OutboxSchema.install(Lending.these(one, another)).changed())
                    .isTrue();

            for (Connection connection : List.of(one, another)) {
                assertThat(Query.text(connection, "SELECT @@SESSION.sql_mode")).isEqualTo(before);
            }
        }
    }

    @Test
    void a_role_of_one_database_gives_no_right_in_another_of_the_same_server() throws Exception {
        try (TestDatabase other = kind.newDatabase()) {
            OutboxSchema.install(other.dataSource());
            DataSource relay = as("outbox_relay");

            assertDenied(() -> Sql.execute(relay, "SELECT * FROM " + other.name() + ".outbox"));
            assertDenied(() -> Sql.execute(relay, "DELETE FROM " + other.name() + ".outbox"));
        }
    }

    @Test
    void a_user_who_may_not_create_roles_installs_all_the_same() throws Exception {
        try (TestDatabase fresh = kind.newDatabase()) {
            Sql.execute(owner, "CREATE USER installer IDENTIFIED BY 'secret'");
            Sql.execute(owner, "GRANT ALL PRIVILEGES ON " + fresh.name() + ".* TO installer");

            Installation installation = OutboxSchema.install(fresh.dataSource("installer", "secret"));

            assertThat(installation.version()).isEqualTo(OutboxSchema.VERSION);
            assertThat(Sql.column(owner, "SELECT user FROM mysql.user WHERE user LIKE '" + fresh.name() + "%'"))
                    .isEmpty();
        } finally {
            Sql.execute(owner, "DROP USER IF EXISTS installer");
        }
    }

    @Test
    void where_the_roles_names_would_be_too_long_for_mysql_there_are_none_and_the_tables_all_the_same()
            throws Exception {
        assumeTrue(kind == DatabaseKind.MYSQL, "MariaDB's may have 128 characters");
        String longest = "a".repeat(16 - 1 - database.name().length());
        for (String schema : List.of(database.name() + "_" + longest, database.name() + "_" + longest + "a")) {
            try {
                Installation installation =
                        OutboxSchema.defaults().withSchema(schema).installOn(owner);

                assertThat(installation.version()).isEqualTo(OutboxSchema.VERSION);
                assertThat(Sql.column(owner, "SELECT user FROM mysql.user WHERE user LIKE '" + schema + "\\_outbox%'"))
                        .hasSize(schema.length() <= 16 ? 4 : 0);
            } finally {
                Sql.execute(owner, "DROP DATABASE IF EXISTS " + schema);
                for (String role : List.of("writer", "consumer", "relay", "admin")) {
                    if (schema.length() <= 16) {
                        Sql.execute(owner, "DROP ROLE IF EXISTS " + schema + "_outbox_" + role);
                    }
                }
            }
        }
    }

    private static void assertDenied(ThrowingCallable action) {
        assertThatThrownBy(action)
                .isInstanceOfSatisfying(
                        SQLException.class, e -> assertThat(e.getErrorCode()).isIn(1142, 1143, 1044));
    }
}
