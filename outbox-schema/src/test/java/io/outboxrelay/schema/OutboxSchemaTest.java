package io.outboxrelay.schema;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.outboxrelay.testservers.Servers;
import io.outboxrelay.testservers.TestDatabase;
import java.sql.Connection;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import javax.sql.DataSource;
import org.flywaydb.core.Flyway;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class OutboxSchemaTest {

    private static final String TABLES =
            "SELECT tablename FROM pg_tables WHERE schemaname = '%s' AND tablename <> 'outbox_schema_history' ORDER BY 1";

    private TestDatabase database;
    private DataSource owner;

    @BeforeEach
    void create_an_empty_database() {
        database = Servers.postgres().newDatabase();
        owner = database.dataSource();
    }

    @AfterEach
    void drop_the_database() {
        database.close();
    }

    @Test
    void installs_all_tables_with_eight_lanes_into_public() throws Exception {
        Installation installation = OutboxSchema.install(owner);

        assertThat(installation).isEqualTo(new Installation("public", 0, OutboxSchema.REQUIRED_VERSION, 8));
        assertThat(installation.changed()).isTrue();
        assertThat(Sql.column(owner, TABLES.formatted("public")))
                .containsExactly(
                        "inbox",
                        "outbox",
                        "outbox_audit",
                        "outbox_failure",
                        "outbox_instance",
                        "outbox_lane",
                        "outbox_pause",
                        "outbox_published",
                        "outbox_published_rest");
    }

    @Test
    void creates_the_schema_that_is_asked_for() throws Exception {
        OutboxSchema shop = OutboxSchema.defaults().withSchema("shop").withLanes(3);

        assertThat(shop.installOn(owner)).isEqualTo(new Installation("shop", 0, OutboxSchema.REQUIRED_VERSION, 3));
        assertThat(shop.version(owner)).hasValue(OutboxSchema.REQUIRED_VERSION);
        assertThat(Sql.column(owner, TABLES.formatted("public"))).isEmpty();
        assertThat(Sql.column(owner, "SELECT lane FROM shop.outbox_lane ORDER BY 1"))
                .containsExactly("0", "1", "2");
    }

    @Test
    void two_schemas_of_one_database_have_an_outbox_each() throws Exception {
        OutboxSchema.defaults().withSchema("orders").withLanes(1).installOn(owner);
        OutboxSchema.defaults().withSchema("billing").withLanes(1024).installOn(owner);

        assertThat(Sql.value(owner, "SELECT count(*) FROM orders.outbox_lane")).isEqualTo("1");
        assertThat(Sql.value(owner, "SELECT count(*) FROM billing.outbox_lane")).isEqualTo("1024");
    }

    @Test
    void installing_again_changes_nothing_and_keeps_every_row() throws Exception { // hazard 34
        OutboxSchema.install(owner);
        Sql.execute(owner, """
                INSERT INTO outbox (aggregate_type, aggregate_id, event_type, payload, content_type)
                SELECT 'order', n::text, 'OrderPlaced', 'x', 'text/plain' FROM generate_series(1, 100) n;
                INSERT INTO inbox (consumer, event_id) VALUES ('billing', gen_random_uuid());
                UPDATE outbox_lane SET owner = 'a', epoch = 7, lease_until = clock_timestamp() WHERE lane = 0""");
        String everything = """
                SELECT md5(string_agg(t, ',')) FROM (
                    SELECT outbox::text AS t FROM outbox UNION ALL
                    SELECT inbox::text FROM inbox UNION ALL
                    SELECT outbox_lane::text FROM outbox_lane UNION ALL
                    SELECT outbox_schema_history::text FROM outbox_schema_history ORDER BY 1) AS all_rows""";
        String before = Sql.value(owner, everything);

        Installation again = OutboxSchema.install(owner);

        assertThat(again.changed()).isFalse();
        assertThat(again.versionBefore()).isEqualTo(OutboxSchema.REQUIRED_VERSION);
        assertThat(Sql.value(owner, everything)).isEqualTo(before);
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
    void an_older_version_is_brought_up_to_date() throws Exception {
        Flyway.configure()
                .dataSource(owner)
                .locations("classpath:db/outbox/postgresql")
                .table("outbox_schema_history")
                .target("1")
                .placeholders(java.util.Map.of("schema", "public", "lanes", "4"))
                .load()
                .migrate();
        assertThat(OutboxSchema.defaults().version(owner)).hasValue(1);

        assertThatThrownBy(() -> OutboxSchema.defaults().withLanes(5).installOn(owner))
                .hasMessageContaining("has 4 lanes, but 5 are asked for");
        assertThat(OutboxSchema.defaults().version(owner)).hasValue(1);

        assertThat(OutboxSchema.install(owner))
                .isEqualTo(new Installation("public", 1, OutboxSchema.REQUIRED_VERSION, 4));
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
                    return OutboxSchema.defaults().withSchema("shop").installOn(owner);
                }));
            }
            for (Future<Installation> result : results) {
                assertThat(result.get().version()).isEqualTo(OutboxSchema.REQUIRED_VERSION);
            }
        } finally {
            threads.shutdownNow();
        }
        assertThat(Sql.value(owner, "SELECT count(*) FROM shop.outbox_lane")).isEqualTo("8");
        assertThat(Sql.column(owner, "SELECT version FROM shop.outbox_schema_history WHERE type = 'SQL' ORDER BY 1"))
                .containsExactly("1", "2", "3", "4");
    }

    @Test
    void a_missing_schema_has_no_version_and_asking_does_not_abort_the_transaction() throws Exception {
        assertThat(OutboxSchema.defaults().version(owner)).isEmpty();
        assertThat(OutboxSchema.defaults().withSchema("nowhere").version(owner)).isEmpty();

        try (Connection connection = owner.getConnection()) {
            connection.setAutoCommit(false);
            assertThat(OutboxSchema.defaults().version(connection)).isEmpty();
            try (var statement = connection.createStatement()) {
                statement.execute("CREATE TABLE still_alive ()");
            }
            connection.commit();
        }
        assertThat(Sql.column(owner, TABLES.formatted("public"))).containsExactly("still_alive");
    }

    @Test
    void works_with_connections_that_do_not_commit_by_themselves() {
        DataSource manual = new ManualCommit(owner);

        assertThat(OutboxSchema.defaults().withSchema("shop").installOn(manual).changed())
                .isTrue();
        assertThat(OutboxSchema.defaults().withSchema("shop").version(owner)).hasValue(OutboxSchema.REQUIRED_VERSION);
    }

    @Test
    void the_plain_sql_installs_the_same_by_psql_and_later_installations_take_over() throws Exception {
        assumeTrue(Sql.psqlIsInstalled(), "psql is not installed");
        OutboxSchema shop = OutboxSchema.defaults().withSchema("shop").withLanes(5);

        String output = Sql.psql(database, "\\set ON_ERROR_STOP on\n" + shop.sql());

        assertThat(output).doesNotContain("ERROR").doesNotContain("WARNING");
        assertThat(shop.version(owner)).hasValue(OutboxSchema.REQUIRED_VERSION);
        assertThat(shop.installOn(owner))
                .isEqualTo(new Installation("shop", OutboxSchema.REQUIRED_VERSION, OutboxSchema.REQUIRED_VERSION, 5));
    }

    @Test
    void the_plain_sql_makes_the_same_tables_as_flyway() throws Exception {
        String shape = """
                SELECT string_agg(concat_ws(' ', table_name, column_name, data_type, is_nullable, column_default,
                                            generation_expression, is_identity), E'\\n' ORDER BY table_name, ordinal_position)
                FROM information_schema.columns WHERE table_schema = 'public' AND table_name <> 'outbox_schema_history'""";
        OutboxSchema.install(owner);
        String byFlyway = Sql.value(owner, shape);

        try (TestDatabase other = Servers.postgres().newDatabase()) {
            Sql.execute(other.dataSource(), OutboxSchema.defaults().sql());

            assertThat(Sql.value(other.dataSource(), shape)).isEqualTo(byFlyway).contains("event_id");
        }
    }

    @Test
    void the_plain_sql_and_the_required_version_cover_all_migrations() {
        Flyway flyway = Flyway.configure()
                .dataSource(owner)
                .locations("classpath:db/outbox/postgresql")
                .load();

        assertThat(flyway.info().all()).hasSize(OutboxSchema.REQUIRED_VERSION).allSatisfy(migration -> {
            assertThat(OutboxSchema.defaults().sql())
                    .contains("SELECT " + migration.getVersion().getVersion() + "'");
        });
        assertThat(OutboxSchema.defaults().sql()).doesNotContain("${");
    }

    @Test
    void other_databases_are_refused_by_name() {
        assertThatThrownBy(() -> OutboxSchema.requireSupported("MariaDB", 10, "10.11.6-MariaDB"))
                .isInstanceOf(OutboxSchemaException.class)
                .hasMessageContaining("MariaDB 10.11.6-MariaDB")
                .hasMessageContaining("PostgreSQL 14 to 18");
        assertThatThrownBy(() -> OutboxSchema.requireSupported("PostgreSQL", 13, "13.21"))
                .hasMessageContaining("PostgreSQL 13.21");
        assertThatThrownBy(() -> OutboxSchema.requireSupported("PostgreSQL", 19, "19beta1"))
                .hasMessageContaining("PostgreSQL 19beta1");
        for (int major = 14; major <= 18; major++) {
            OutboxSchema.requireSupported("PostgreSQL", major, major + ".1");
        }
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
    void a_refusal_of_the_database_names_the_schema_and_the_reason() throws Exception {
        Sql.execute(owner, "CREATE TABLE outbox (mine int)");

        assertThatThrownBy(() -> OutboxSchema.install(owner))
                .isInstanceOf(OutboxSchemaException.class)
                .hasMessageContaining("schema public")
                .hasMessageContaining("relation \"outbox\" already exists");
        assertThat(Sql.column(
                        owner, "SELECT column_name::text FROM information_schema.columns WHERE table_name = 'outbox'"))
                .containsExactly("mine");
    }
}
