package io.outboxrelay.schema;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.outboxrelay.testservers.HostileObjects;
import io.outboxrelay.testservers.Postgres;
import io.outboxrelay.testservers.PrivateServer;
import io.outboxrelay.testservers.Servers;
import io.outboxrelay.testservers.TestDatabase;
import java.sql.Connection;
import java.util.List;
import java.util.Map;
import javax.sql.DataSource;
import org.flywaydb.core.Flyway;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.postgresql.ds.PGSimpleDataSource;

/**
 * PostgreSQL 14, where everyone may create objects in {@code public}: what a login without any grant can achieve by
 * that.
 */
@Tag("server")
class HostileObjectsTest {

    private static PrivateServer<Postgres> server;

    private TestDatabase database;
    private DataSource owner;

    @BeforeAll
    static void start() throws Exception {
        server = Servers.startPrivatePostgres(14);
        try (TestDatabase any = server.newDatabase()) {
            Sql.execute(any.dataSource(), "CREATE ROLE mallory");
        }
    }

    @AfterAll
    static void stop() {
        server.close();
    }

    @BeforeEach
    void create_a_database() {
        database = server.newDatabase();
        owner = database.dataSource();
    }

    @AfterEach
    void drop() {
        database.close();
    }

    // hazard 83
    @Test
    void functions_and_operators_in_public_that_fit_better_than_the_catalogs_do_not_run_when_a_superuser_installs()
            throws Exception {
        HostileObjects.fitBetter(Sql.as("mallory", database), "mallory");

        OutboxSchema.install(owner);

        assertThat(Sql.value(
                        owner,
                        "SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname OPERATOR(pg_catalog.=) 'mallory'"))
                .isEqualTo("f");
    }

    // hazard 83
    @Test
    void nothing_that_hides_the_catalog_is_used_by_an_installation_or_by_what_it_installs() throws Exception {
        assertThat(HostileObjects.hideTheCatalog(database, database.user())).isGreaterThan(3_000);

        Installation installation = OutboxSchema.install(owner);

        assertThat(installation.changed()).isTrue();
        assertThat(OutboxSchema.install(owner).changed()).isFalse();
        assertThat(OutboxSchema.defaults().version(owner)).hasValue(OutboxSchema.VERSION);
        Sql.execute(owner, "SELECT public.outbox_wakeup(true)");
        Sql.execute(Sql.as("outbox_writer", database), """
                INSERT INTO public.outbox (aggregate_type, aggregate_id, event_type, payload, content_type)
                VALUES ('order', '1', 'OrderPlaced', 'x', 'text/plain')""");
        assertThatThrownBy(() -> Sql.execute(Sql.as("outbox_writer", database), """
                        INSERT INTO public.outbox (aggregate_type, aggregate_id, event_type, payload, content_type)
                        VALUES ('', '1', 'OrderPlaced', 'x', 'text/plain')"""))
                .hasMessageContaining("aggregate_type must have 1 to 255 bytes; this event has 0");
        Sql.execute(
                Sql.as("outbox_relay", database),
                "SELECT made, dropped, removed, busy FROM public.outbox_retain('7 days')");
    }

    // hazard 83
    @Test
    void nothing_that_hides_the_catalog_is_used_by_the_plain_sql() throws Exception {
        HostileObjects.hideTheCatalog(database, database.user());

        Sql.execute(owner, OutboxSchema.defaults().sql());

        assertThat(OutboxSchema.install(owner).changed()).isFalse();
    }

    /**
     * The two without it are called at each INSERT;
     * {@link #nothing_that_hides_the_catalog_is_used_by_an_installation_or_by_what_it_installs} calls them.
     */
    @Test
    void every_function_of_the_outbox_has_its_search_path_pinned() throws Exception {
        OutboxSchema.defaults().withSchema("shop").installOn(owner);

        assertThat(Sql.column(owner, """
                SELECT proname FROM pg_proc WHERE pronamespace = 'shop'::regnamespace
                AND NOT coalesce(proconfig @> ARRAY['search_path=pg_catalog, pg_temp'], false)""")).containsExactlyInAnyOrder("outbox_fits", "outbox_wake");
        assertThat(Sql.column(owner, "SELECT proname FROM pg_proc WHERE pronamespace = 'shop'::regnamespace"))
                .hasSizeGreaterThan(4);
    }

    // hazard 83
    @Test
    void what_a_stranger_has_laid_out_under_the_outbox_s_names_is_refused_by_name_and_not_run() throws Exception {
        for (String bait : List.of(
                "FUNCTION public.outbox_schema_version() RETURNS int LANGUAGE plpgsql AS 'BEGIN RAISE ''run''; END'",
                "TABLE public.outbox_schema_history (installed_rank int)",
                "VIEW public.outbox_lane AS SELECT 1 AS lane")) {
            Sql.execute(Sql.as("mallory", database), "CREATE " + bait);

            assertThatThrownBy(() -> OutboxSchema.install(owner))
                    .isInstanceOf(OutboxSchemaException.class)
                    .hasMessageContaining(bait.replaceFirst("\\w+ public\\.(\\w+(\\(\\))?).*", "$1") + " of mallory")
                    .hasMessageContaining("otherwise drop it");
            Sql.execute(owner, "DROP " + bait.replaceFirst("(\\w+ public\\.\\w+(\\(\\))?).*", "$1"));
        }
        assertThat(OutboxSchema.install(owner).changed()).isTrue();
    }

    @Test
    void the_owner_of_an_outbox_who_owns_nothing_else_brings_it_up_to_date_and_a_superuser_is_told_to_be_that_owner()
            throws Exception {
        Flyway.configure()
                .dataSource(Sql.as("mallory", database))
                .locations("classpath:db/outbox/postgresql")
                .table("outbox_schema_history")
                .target("1")
                .placeholders(Map.of("schema", "public", "lanes", "4"))
                .load()
                .migrate();

        assertThatThrownBy(() -> OutboxSchema.install(owner)).hasMessageContaining("outbox_lane of mallory");
        assertThat(OutboxSchema.install(Sql.as("mallory", database)).changed()).isTrue();
    }

    // hazard 83
    @Test
    void a_connection_goes_back_to_its_pool_with_the_search_path_that_it_came_with() throws Exception {
        PGSimpleDataSource source = (PGSimpleDataSource) database.dataSource();
        source.setOptions("-c search_path=shop,public");
        try (Connection one = source.getConnection();
                Connection another = source.getConnection()) {
            OutboxSchema.install(Lending.these(one, another));

            for (Connection connection : List.of(one, another)) {
                assertThat(Query.text(connection, "SHOW search_path")).isEqualTo("shop,public");
                assertThat(connection.getAutoCommit()).isTrue();
            }
        }
    }

    @Test
    void whoever_holds_the_lock_of_the_installation_is_not_waited_for_without_end_and_is_named() throws Exception {
        PGSimpleDataSource stranger = (PGSimpleDataSource) database.dataSource();
        stranger.setApplicationName("a stranger");
        try (Connection holding = stranger.getConnection();
                Connection installing = owner.getConnection()) {
            installing.setAutoCommit(false);
            Query.text(holding, "SELECT pg_advisory_lock(hashtext('outbox schema shop'))::text");

            assertThatThrownBy(() -> new PostgresVendor(1).lock(installing, "shop"))
                    .isInstanceOf(OutboxSchemaException.class)
                    .hasMessageContaining("application \"a stranger\"")
                    .hasMessageContaining("End it");
        }
    }
}
