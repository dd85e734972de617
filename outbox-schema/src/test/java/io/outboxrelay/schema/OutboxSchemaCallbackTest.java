package io.outboxrelay.schema;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.outboxrelay.testservers.DatabaseKind;
import io.outboxrelay.testservers.TestDatabase;
import java.util.List;
import java.util.Map;
import javax.sql.DataSource;
import org.flywaydb.core.Flyway;
import org.flywaydb.core.api.configuration.FluentConfiguration;
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
class OutboxSchemaCallbackTest {

    @Parameter
    DatabaseKind kind;

    private static final String SERVICE_HISTORY = "SELECT script FROM flyway_schema_history ORDER BY installed_rank";
    private static final String OUTBOX_HISTORY =
            "SELECT script FROM outbox_schema_history WHERE type = 'SQL' ORDER BY installed_rank";

    private TestDatabase database;
    private DataSource owner;

    @BeforeEach
    void create_an_empty_database() {
        database = kind.newDatabase();
        owner = database.dataSource();
    }

    @AfterEach
    void drop_the_database() {
        database.close();
    }

    @Test
    void one_line_in_the_services_flyway_installs_the_outbox_before_the_services_migrations() throws Exception {
        Flyway flyway = service().callbacks(new OutboxSchemaCallback()).load();

        flyway.migrate();

        assertThat(Sql.column(owner, SERVICE_HISTORY))
                .containsExactly("V1__orders.sql", "V2__orders_not_yet_published.sql");
        assertThat(Sql.column(owner, OUTBOX_HISTORY))
                .isEqualTo(
                        kind.isInnoDb()
                                ? List.of("V4__tables.sql", "V5__inbox_failures.sql")
                                : List.of(
                                        "V1__outbox_and_inbox.sql",
                                        "V2__roles.sql",
                                        "V3__failures.sql",
                                        "V4__retention.sql",
                                        "V5__inbox_failures.sql"));
        assertThat(Sql.column(owner, "SELECT id FROM orders_not_yet_published")).isEmpty();
        flyway.validate();
        assertThat(flyway.migrate().migrationsExecuted).isZero();
    }

    @Test
    void a_property_installs_it_too() {
        FluentConfiguration configuration = service();
        configuration.configuration(Map.of("flyway.callbacks", "io.outboxrelay.schema.OutboxSchemaCallback"));

        configuration.load().migrate();

        assertThat(OutboxSchema.defaults().version(owner)).hasValue(OutboxSchema.VERSION);
    }

    @Test
    void the_callback_installs_into_the_schema_and_with_the_lanes_it_was_given() throws Exception {
        OutboxSchema messaging =
                OutboxSchema.defaults().withSchema(messagingSchema()).withLanes(2);

        service()
                .target("1")
                .callbacks(new OutboxSchemaCallback(messaging))
                .load()
                .migrate();

        assertThat(messaging.version(owner)).hasValue(OutboxSchema.VERSION);
        assertThat(Sql.value(owner, "SELECT count(*) FROM " + messagingSchema() + ".outbox_lane"))
                .isEqualTo("2");
        assertThat(OutboxSchema.defaults().version(owner)).isEmpty();
        if (kind.isInnoDb()) {
            Sql.execute(owner, "DROP DATABASE " + messagingSchema());
        }
    }

    private String messagingSchema() {
        return kind.isInnoDb() ? database.name() + "_messaging" : "messaging";
    }

    @Test
    void a_service_that_already_has_tables_gets_the_outbox_beside_them() throws Exception {
        service().target("1").load().migrate();
        Sql.execute(owner, "INSERT INTO orders VALUES ('4711')");

        OutboxSchema.install(owner);

        assertThat(service().load().migrate().migrationsExecuted).isOne();
        assertThat(Sql.column(owner, SERVICE_HISTORY))
                .containsExactly("V1__orders.sql", "V2__orders_not_yet_published.sql");
        assertThat(Sql.column(owner, "SELECT id FROM orders")).containsExactly("4711");
    }

    @Test
    void an_outbox_that_came_first_stays_beside_the_services_migrations() throws Exception {
        OutboxSchema.install(owner);

        service().baselineOnMigrate(true).baselineVersion("0").load().migrate();

        assertThat(Sql.column(owner, SERVICE_HISTORY)).contains("V1__orders.sql", "V2__orders_not_yet_published.sql");
        assertThat(OutboxSchema.install(owner).changed()).isFalse();
    }

    @Test
    void a_failed_installation_stops_the_services_migrations_with_its_reason() throws Exception {
        OutboxSchema.defaults().withLanes(4).installOn(owner);
        Flyway flyway = service()
                .baselineOnMigrate(true)
                .baselineVersion("0")
                .callbacks(new OutboxSchemaCallback(OutboxSchema.defaults().withLanes(5)))
                .load();

        assertThatThrownBy(flyway::migrate).hasStackTraceContaining("has 4 lanes, but 5 are asked for");
        assertThat(Sql.column(owner, "SELECT table_name FROM information_schema.tables WHERE table_name = 'orders'"))
                .isEmpty();
    }

    private FluentConfiguration service() {
        return Flyway.configure().dataSource(owner).locations("classpath:db/service");
    }
}
