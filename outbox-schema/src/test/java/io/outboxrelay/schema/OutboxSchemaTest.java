package io.outboxrelay.schema;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeFalse;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.outboxrelay.testservers.DatabaseKind;
import io.outboxrelay.testservers.TestDatabase;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import javax.sql.DataSource;
import org.flywaydb.core.Flyway;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.MethodSource;

@ParameterizedClass
@MethodSource("io.outboxrelay.testservers.DatabaseKind#here")
@Tag("server")
class OutboxSchemaTest {

    private static final String TABLES = """
            SELECT table_name FROM information_schema.tables
            WHERE table_schema = '%s' AND table_name NOT LIKE 'outbox_schema%%'
            AND table_name <> 'outbox_published_rest' ORDER BY 1""";

    @Parameter
    DatabaseKind kind;

    private TestDatabase database;
    private DataSource owner;

    @BeforeEach
    void create_an_empty_database() {
        database = kind.newDatabase();
        owner = database.dataSource();
    }

    @AfterEach
    void drop_the_database() throws Exception {
        for (String schema : List.of("shop", "orders", "billing")) {
            Sql.execute(
                    owner,
                    (isMariaDb() ? "DROP DATABASE IF EXISTS " : "DROP SCHEMA IF EXISTS ")
                            + named(schema)
                            + (isMariaDb() ? "" : " CASCADE"));
        }
        database.close();
    }

    private boolean isMariaDb() {
        return kind.isInnoDb();
    }

    /** Where the tables are when no schema is named. */
    private String home() {
        return isMariaDb() ? database.name() : "public";
    }

    /** A schema is a database in MariaDB, and its name belongs to the whole server. */
    private String named(String schema) {
        return isMariaDb() ? database.name() + "_" + schema : schema;
    }

    @Test
    void a_sequence_that_was_set_back_gives_no_position_out_twice() throws Exception {
        assumeFalse(isMariaDb(), "there a counter cannot be set below what is in the table");
        OutboxSchema.install(owner);
        String insert = """
                INSERT INTO outbox (aggregate_type, aggregate_id, event_type, payload, content_type)
                SELECT 'Order', n, 'OrderPlaced', '', 'text/plain' FROM generate_series(%d, %d) n""";
        Sql.execute(owner, insert.formatted(1, 100)); // of all lanes

        Sql.execute(owner, "ALTER SEQUENCE outbox_position_seq RESTART");

        assertThatThrownBy(() -> Sql.execute(owner, insert.formatted(101, 200))).hasMessageContaining("outbox_pkey");
    }

    @Test
    void installs_all_tables_with_eight_lanes_into_public() throws Exception {
        Installation installation = OutboxSchema.install(owner);

        assertThat(installation).isEqualTo(new Installation(home(), 0, OutboxSchema.VERSION, 8));
        assertThat(installation.changed()).isTrue();
        List<String> tables = new ArrayList<>(List.of(
                "inbox",
                "inbox_failure",
                "inbox_history",
                "inbox_instance",
                "outbox",
                "outbox_audit",
                "outbox_failure",
                "outbox_instance",
                "outbox_lane",
                "outbox_pause",
                "outbox_published",
                "outbox_subscription"));
        if (!kind.isInnoDb()) {
            tables.add("outbox_incarnation");
        }
        assertThat(Sql.column(owner, TABLES.formatted(home()))).containsExactlyInAnyOrderElementsOf(tables);
    }

    @Test
    void creates_the_schema_that_is_asked_for() throws Exception {
        OutboxSchema shop = OutboxSchema.defaults().withSchema(named("shop")).withLanes(3);

        assertThat(shop.installOn(owner)).isEqualTo(new Installation(named("shop"), 0, OutboxSchema.VERSION, 3));
        assertThat(shop.version(owner)).hasValue(OutboxSchema.VERSION);
        assertThat(Sql.column(owner, TABLES.formatted(home()))).isEmpty();
        assertThat(Sql.column(owner, "SELECT lane FROM " + named("shop") + ".outbox_lane ORDER BY 1"))
                .containsExactly("0", "1", "2");
    }

    @Test
    void two_schemas_of_one_database_have_an_outbox_each() throws Exception {
        OutboxSchema.defaults().withSchema(named("orders")).withLanes(1).installOn(owner);
        OutboxSchema.defaults().withSchema(named("billing")).withLanes(1024).installOn(owner);

        assertThat(Sql.value(owner, "SELECT count(*) FROM " + named("orders") + ".outbox_lane"))
                .isEqualTo("1");
        assertThat(Sql.value(owner, "SELECT count(*) FROM " + named("billing") + ".outbox_lane"))
                .isEqualTo("1024");
    }

    @Test
    void installing_again_changes_nothing_and_keeps_every_row() throws Exception { // hazard 34
        OutboxSchema.install(owner);
        for (int n = 1; n <= 100; n++) {
            Sql.execute(owner, """
                    INSERT INTO outbox (aggregate_type, aggregate_id, event_type, payload, content_type)
                    VALUES ('order', '%d', 'OrderPlaced', 'x', 'text/plain')""".formatted(n));
        }
        Sql.execute(owner, "INSERT INTO inbox (consumer, event_id) SELECT 'billing', event_id FROM outbox");
        Sql.execute(
                owner, "UPDATE outbox_lane SET owner = 'a', epoch = 7, lease_until = current_timestamp WHERE lane = 0");
        List<String> before = everything();

        Installation again = OutboxSchema.install(owner);

        assertThat(again.changed()).isFalse();
        assertThat(again.versionBefore()).isEqualTo(OutboxSchema.VERSION);
        assertThat(before).hasSizeGreaterThan(200);
        assertThat(everything()).isEqualTo(before);
    }

    private List<String> everything() throws Exception {
        List<String> rows = new ArrayList<>();
        for (String table : List.of("outbox", "inbox", "outbox_lane", "outbox_schema_history")) {
            rows.addAll(Sql.rows(owner, table));
        }
        return rows;
    }

    @Test
    void the_number_of_lanes_cannot_be_changed_and_need_not_be_repeated() {
        OutboxSchema.defaults().withLanes(16).installOn(owner);

        assertThat(OutboxSchema.install(owner).lanes()).isEqualTo(16);
        assertThatThrownBy(() -> OutboxSchema.defaults().withLanes(8).installOn(owner))
                .isInstanceOf(OutboxSchemaException.class)
                .hasMessageContaining("has 16 lanes, but 8 are asked for");
    }

    @Test
    void the_oldest_version_is_brought_up_to_date() throws Exception {
        int oldest = isMariaDb() ? 4 : 1;
        Vendor vendor = SqlDialect.valueOf(kind.name()).vendor();
        Flyway.configure()
                .dataSource(owner)
                .locations("classpath:" + vendor.location())
                .table("outbox_schema_history")
                .target(Integer.toString(oldest))
                .placeholders(vendor.placeholders(home(), 4))
                .load()
                .migrate();
        assertThat(OutboxSchema.defaults().version(owner)).hasValue(oldest);

        assertThatThrownBy(() -> OutboxSchema.defaults().withLanes(5).installOn(owner))
                .hasMessageContaining("has 4 lanes, but 5 are asked for");
        assertThat(OutboxSchema.defaults().version(owner)).hasValue(oldest);

        assertThat(OutboxSchema.install(owner)).isEqualTo(new Installation(home(), oldest, OutboxSchema.VERSION, 4));
    }

    @Test
    void eight_installers_at_once_all_succeed() throws Exception {
        int installers = 8;
        CyclicBarrier start = new CyclicBarrier(installers);
        ExecutorService threads = Executors.newFixedThreadPool(installers);
        try {
            List<Future<Installation>> results = new ArrayList<>();
            for (int i = 0; i < installers; i++) {
                results.add(threads.submit(() -> {
                    start.await();
                    return OutboxSchema.defaults().withSchema(named("shop")).installOn(owner);
                }));
            }
            for (Future<Installation> result : results) {
                assertThat(result.get().version()).isEqualTo(OutboxSchema.VERSION);
            }
        } finally {
            threads.shutdownNow();
        }
        assertThat(Sql.value(owner, "SELECT count(*) FROM " + named("shop") + ".outbox_lane"))
                .isEqualTo("8");
        assertThat(Sql.column(
                        owner,
                        "SELECT version FROM " + named("shop")
                                + ".outbox_schema_history WHERE type = 'SQL' ORDER BY 1"))
                .isEqualTo(isMariaDb() ? List.of("4", "5") : List.of("1", "2", "3", "4", "5"));
    }

    @Test
    void a_missing_schema_has_no_version_and_asking_does_not_abort_the_transaction() throws Exception {
        assertThat(OutboxSchema.defaults().version(owner)).isEmpty();
        assertThat(OutboxSchema.defaults().withSchema("nowhere").version(owner)).isEmpty();

        try (Connection connection = owner.getConnection()) {
            connection.setAutoCommit(false);
            assertThat(OutboxSchema.defaults().version(connection)).isEmpty();
            try (var statement = connection.createStatement()) {
                statement.execute("CREATE TABLE still_alive (n int)");
            }
            connection.commit();
        }
        assertThat(Sql.column(owner, TABLES.formatted(home()))).containsExactly("still_alive");
    }

    @Test
    void works_with_connections_that_do_not_commit_by_themselves() {
        DataSource manual = new ManualCommit(owner);

        assertThat(OutboxSchema.defaults()
                        .withSchema(named("shop"))
                        .installOn(manual)
                        .changed())
                .isTrue();
        assertThat(OutboxSchema.defaults().withSchema(named("shop")).version(owner))
                .hasValue(OutboxSchema.VERSION);
    }

    @Test
    void the_plain_sql_installs_the_same_by_psql_on_postgresql_and_later_installations_take_over() throws Exception {
        assumeTrue(!isMariaDb() && Sql.psqlIsInstalled(), "needs PostgreSQL and an installed psql");
        OutboxSchema shop = OutboxSchema.defaults().withSchema(named("shop")).withLanes(5);

        String output = Sql.psql(database, "\\set ON_ERROR_STOP on\n" + shop.sql());

        assertThat(output).doesNotContain("ERROR").doesNotContain("WARNING");
        assertThat(shop.version(owner)).hasValue(OutboxSchema.VERSION);
        assertThat(shop.installOn(owner))
                .isEqualTo(new Installation(named("shop"), OutboxSchema.VERSION, OutboxSchema.VERSION, 5));
    }

    @Test
    void the_plain_sql_makes_the_same_tables_as_flyway() throws Exception {
        String shape = """
                SELECT concat_ws(' ', table_name, column_name, data_type, is_nullable, column_default,
                    generation_expression)
                FROM information_schema.columns WHERE table_schema = '%s' AND table_name <> 'outbox_schema_history'
                ORDER BY table_name, ordinal_position""";
        OutboxSchema.install(owner);
        List<String> byFlyway = Sql.column(owner, shape.formatted(home()));

        try (TestDatabase other = kind.newDatabase()) {
            for (String statement : isMariaDb()
                    ? OutboxSchema.defaults()
                            .sql(SqlDialect.valueOf(kind.name()))
                            .replaceAll("(?m)^ *--.*$", "")
                            .split(";\\s")
                    : new String[] {OutboxSchema.defaults().sql()}) {
                Sql.execute(other.dataSource(), statement);
            }

            assertThat(Sql.column(other.dataSource(), shape.formatted(isMariaDb() ? other.name() : "public")))
                    .isEqualTo(byFlyway)
                    .hasSizeGreaterThan(50);
            assertThat(OutboxSchema.install(other.dataSource()).changed()).isFalse();
        }
    }

    @Test
    void the_plain_sql_and_the_version_cover_all_migrations_of_postgresql() {
        assumeFalse(isMariaDb());
        Flyway flyway = Flyway.configure()
                .dataSource(owner)
                .locations("classpath:db/outbox/postgresql")
                .load();

        assertThat(flyway.info().all()).hasSize(OutboxSchema.VERSION).allSatisfy(migration -> {
            assertThat(OutboxSchema.defaults().sql())
                    .contains("SELECT " + migration.getVersion().getVersion() + "'");
        });
        assertThat(OutboxSchema.defaults().sql()).doesNotContain("${");
    }

    @Test
    void other_databases_are_refused_by_name() {
        for (String[] other : new String[][] {
            {"PostgreSQL", "13", "21"},
            {"PostgreSQL", "19", "0"},
            {"MariaDB", "10", "5"},
            {"MariaDB", "12", "0"},
            {"MySQL", "5", "7"},
            {"MySQL", "10", "0"},
            {"H2", "2", "3"}
        }) {
            String version = other[1] + "." + other[2];
            assertThatThrownBy(() ->
                            SqlDialect.of(other[0], Integer.parseInt(other[1]), Integer.parseInt(other[2]), version))
                    .isInstanceOf(OutboxSchemaException.class)
                    .hasMessageContaining(other[0] + " " + version)
                    .hasMessageContaining("PostgreSQL 14 to 18, MariaDB 10.6 to 11 or MySQL 8 to 9");
        }
        for (int major = 14; major <= 18; major++) {
            assertThat(SqlDialect.of("PostgreSQL", major, 1, "")).isEqualTo(SqlDialect.POSTGRESQL);
        }
        assertThat(SqlDialect.of("MariaDB", 10, 6, "")).isEqualTo(SqlDialect.MARIADB);
        assertThat(SqlDialect.of("MariaDB", 11, 8, "")).isEqualTo(SqlDialect.MARIADB);
        assertThat(SqlDialect.of("MySQL", 8, 4, "")).isEqualTo(SqlDialect.MYSQL);
        assertThat(SqlDialect.of("MySQL", 9, 7, "")).isEqualTo(SqlDialect.MYSQL);
    }

    @Test
    void names_that_are_no_identifiers_and_impossible_lanes_are_refused() {
        for (String name : List.of("", "Shop", "1shop", "shop;", "shop.x", "a\"b", "a".repeat(64), "käse")) {
            assertThatThrownBy(() -> OutboxSchema.defaults().withSchema(name))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("\"" + name + "\"");
        }
        for (int lanes : List.of(-1, 0, 1025)) {
            assertThatThrownBy(() -> OutboxSchema.defaults().withLanes(lanes))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining(lanes + " lanes");
        }
    }

    @Test
    void the_plain_sql_of_mariadb_and_mysql_has_no_placeholder_left() {
        for (SqlDialect dialect : SqlDialect.values()) {
            assertThat(OutboxSchema.defaults().withSchema("shop").sql(dialect)).doesNotContain("${");
        }
        assertThat(OutboxSchema.defaults().withSchema("shop").sql(SqlDialect.MYSQL))
                .contains("utf8mb4_0900_bin", "USE `shop`", "`shop_outbox_relay`", "SELECT 5 AS version")
                .doesNotContain("nopad");
    }

    @Test
    void a_table_that_was_there_before_is_refused_with_the_schema_and_the_reason_and_kept() throws Exception {
        Sql.execute(owner, "CREATE TABLE outbox (mine int)");

        assertThatThrownBy(() -> OutboxSchema.install(owner))
                .isInstanceOf(OutboxSchemaException.class)
                .hasMessageContaining("schema " + home())
                .hasMessageContaining(isMariaDb() ? "" : "(V1__outbox_and_inbox.sql, line ")
                .hasMessageMatching(".*\"?outbox\"? already exists.*");
        assertThat(Sql.column(owner, """
                        SELECT column_name FROM information_schema.columns
                        WHERE table_name = 'outbox'
                        AND table_schema = '%s'""".formatted(home()))).containsExactly("mine");
    }

    @Test
    void an_installation_that_mariadb_lost_in_the_middle_is_made_again() throws Exception {
        assumeTrue(isMariaDb(), "PostgreSQL rolls it back");
        OutboxSchema.defaults().withLanes(4).installOn(owner);
        for (String statement : List.of(
                "DROP VIEW outbox_schema_version",
                "DROP TABLE outbox_failure",
                "UPDATE outbox_schema_history SET success = 0")) {
            Sql.execute(owner, statement);
        }
        assertThat(OutboxSchema.defaults().version(owner)).isEmpty();

        assertThatThrownBy(() -> OutboxSchema.defaults().withLanes(5).installOn(owner))
                .hasMessageContaining("has 4 lanes, but 5 are asked for");
        assertThat(OutboxSchema.install(owner)).isEqualTo(new Installation(home(), 0, OutboxSchema.VERSION, 4));
        assertThat(Sql.column(owner, "SELECT * FROM outbox_failure")).isEmpty();
    }

    @Test
    void what_a_mariadb_session_without_strict_mode_would_cut_off_is_refused() throws Exception {
        assumeTrue(isMariaDb(), "PostgreSQL never cuts off");
        OutboxSchema.install(owner);
        for (String longest :
                List.of("aggregate_type 255", "aggregate_id 1024", "event_type 255", "content_type 255")) {
            String column = longest.split(" ")[0];
            int limit = Integer.parseInt(longest.split(" ")[1]);
            Map<String, Integer> lengths =
                    new HashMap<>(Map.of("aggregate_type", 1, "aggregate_id", 1, "event_type", 1, "content_type", 1));
            lengths.put(column, limit);
            insertWithoutStrictMode(lengths);
            lengths.put(column, limit + 10);
            assertThatThrownBy(() -> insertWithoutStrictMode(lengths))
                    .as(column)
                    .isInstanceOf(SQLException.class)
                    .hasMessageContaining(column);
        }
        assertThat(Sql.value(owner, "SELECT count(*) FROM outbox")).isEqualTo("4");
    }

    @Test
    void what_no_message_could_carry_is_refused_with_the_limit_and_without_the_event_s_content() throws Exception {
        assumeFalse(isMariaDb(), "MariaDB and MySQL say the name of the check");
        OutboxSchema.install(owner);

        insert("repeat('x', 255)", "repeat('x', 1024)", "repeat('x', 255)", "repeat('x', 255)", "'{}'");
        insert("'x'", "''", "'x'", "''", "jsonb_build_object('k', repeat('x', 65527))");

        assertRefused(
                "aggregate_type must have 1 to 255 bytes; this event has 256",
                "repeat('é', 128)",
                "''",
                "'x'",
                "'x'",
                "'{}'");
        assertRefused("aggregate_type must have 1 to 255 bytes; this event has 0", "''", "'x'", "'x'", "'x'", "'{}'");
        assertRefused(
                "aggregate_id must have at most 1024 bytes; this event has 1025",
                "'x'",
                "repeat('x', 1025)",
                "'x'",
                "'x'",
                "'{}'");
        assertRefused("event_type must have 1 to 255 bytes; this event has 0", "'x'", "'x'", "''", "'x'", "'{}'");
        assertRefused(
                "event_type must have 1 to 255 bytes; this event has 256",
                "'x'",
                "'x'",
                "repeat('x', 256)",
                "'x'",
                "'{}'");
        assertRefused(
                "content_type must have at most 255 bytes; this event has 256",
                "'x'",
                "'x'",
                "'x'",
                "repeat('x', 256)",
                "'{}'");
        assertRefused(
                "headers must have at most 65536 bytes; this event has 65537",
                "'x'",
                "'x'",
                "'x'",
                "'x'",
                "jsonb_build_object('k', repeat('x', 65528))");
        assertRefused(
                "headers must be a JSON object; this event has a JSON array",
                "'x'",
                "'x'",
                "'x'",
                "'x'",
                "'[\"top-secret\"]'");
        assertThat(Sql.value(owner, "SELECT count(*) FROM outbox")).isEqualTo("2");
    }

    @Test
    void what_is_missing_is_named_and_not_the_lane_that_follows_from_it() throws Exception {
        OutboxSchema.install(owner);

        assertThatThrownBy(() -> insert("'x'", "NULL", "'x'", "'x'", "'{}'")).hasMessageContaining("aggregate_id");
    }

    private void assertRefused(String what, String... values) {
        assertThatThrownBy(() -> insert(values))
                .hasMessageContaining(what)
                .hasMessageNotContainingAny("top-secret", "746f702d736563726574", "Failing row");
    }

    /** Expressions of aggregate type, aggregate id, event type, content type and headers. */
    private void insert(String... values) throws SQLException {
        Sql.execute(owner, """
                INSERT INTO outbox (aggregate_type, aggregate_id, event_type, content_type, headers, payload)
                VALUES (%s, 'top-secret')""".formatted(String.join(", ", values)));
    }

    private void insertWithoutStrictMode(Map<String, Integer> lengths) throws SQLException {
        try (Connection connection = owner.getConnection();
                Statement statement = connection.createStatement()) {
            statement.execute("SET sql_mode = ''");
            statement.execute("""
                    INSERT INTO outbox (aggregate_type, aggregate_id, event_type, payload, content_type)
                    VALUES (repeat('x', %d), repeat('x', %d), repeat('x', %d), 'x', repeat('x', %d))""".formatted(
                            lengths.get("aggregate_type"),
                            lengths.get("aggregate_id"),
                            lengths.get("event_type"),
                            lengths.get("content_type")));
        }
    }
}
