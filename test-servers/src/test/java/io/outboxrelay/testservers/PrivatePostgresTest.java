package io.outboxrelay.testservers;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.AfterParameterizedClassInvocation;
import org.junit.jupiter.params.BeforeParameterizedClassInvocation;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;

/** A private PostgreSQL, on every kind of server. */
@ParameterizedClass
@EnumSource(ServerKind.class)
@Tag("server")
@Tag("full")
class PrivatePostgresTest {
    @Parameter
    ServerKind kind;

    static @Nullable PrivateServer<Postgres> postgres;

    @BeforeParameterizedClassInvocation
    static void start(ServerKind kind) {
        AvailableKinds.assumePostgres(kind);
        postgres = Servers.startPrivatePostgres(AvailableKinds.only(kind));
    }

    @AfterParameterizedClassInvocation
    static void close() {
        PrivateServer<Postgres> closed = postgres;
        postgres = null;
        if (closed != null) {
            closed.close();
            assertThatThrownBy(closed::newDatabase).isInstanceOf(IllegalStateException.class);
        }
    }

    @Test
    void reports_its_kind() {
        assertThat(postgres.name())
                .matches(
                        switch (kind) {
                            case CONTAINERS -> "postgresql-container";
                            case INSTALLED -> "postgresql-[0-9.]+";
                            case EMBEDDED -> "embedded-postgresql-[0-9.]+";
                        });
    }

    @Test
    void a_new_database_is_empty_and_its_user_is_superuser() throws SQLException {
        try (TestDatabase database = postgres.newDatabase()) {
            assertThat(query(database, "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"))
                    .isEqualTo("0");
            assertThat(query(database, "SELECT rolsuper FROM pg_roles WHERE rolname = current_user"))
                    .isEqualTo("t");
            try (Connection connection =
                    DriverManager.getConnection(database.jdbcUrl(), database.user(), database.password())) {
                assertThat(connection.getCatalog()).isEqualTo(database.name());
            }
        }
    }

    @Test
    void a_closed_database_is_dropped_despite_open_sessions() throws SQLException {
        try (TestDatabase other = postgres.newDatabase()) {
            TestDatabase database = postgres.newDatabase();
            try (Connection connection = database.dataSource().getConnection()) {
                assertThat(connection.isValid(5)).isTrue();
                database.close();
            }
            await().atMost(Duration.ofSeconds(30))
                    .until(() -> query(
                                    other, "SELECT count(*) FROM pg_database WHERE datname = '" + database.name() + "'")
                            .equals("0"));
        }
    }

    @Test
    void commits_reach_the_disk_before_they_are_confirmed() throws SQLException {
        try (TestDatabase database = postgres.newDatabase()) {
            assertThat(query(database, "SHOW fsync")).isEqualTo("on");
            assertThat(query(database, "SHOW synchronous_commit")).isEqualTo("on");
        }
    }

    @Test
    void a_killed_server_restarts_on_its_port_with_all_committed_data() throws SQLException {
        TestDatabase database = postgres.newDatabase();
        execute(database, "CREATE TABLE kept AS SELECT 42 AS answer");

        postgres.kill();
        assertThatThrownBy(() -> query(database, "SELECT 1")).isInstanceOf(SQLException.class);
        postgres.start();

        assertThat(query(database, "SELECT answer FROM kept")).isEqualTo("42");
    }

    @Test
    void a_stopped_server_restarts_on_its_port_with_all_committed_data() throws SQLException {
        TestDatabase database = postgres.newDatabase();
        execute(database, "CREATE TABLE kept AS SELECT 42 AS answer");

        postgres.stop();
        assertThatThrownBy(() -> query(database, "SELECT 1")).isInstanceOf(SQLException.class);
        postgres.start();

        assertThat(query(database, "SELECT answer FROM kept")).isEqualTo("42");
    }

    @Test
    void a_frozen_server_is_silent_and_a_thawed_one_keeps_its_connections() throws Exception {
        TestDatabase database = postgres.newDatabase();
        try (Connection connection = database.dataSource().getConnection()) {
            postgres.freeze();
            assertThat(connection.isValid(1)).isFalse();
            postgres.thaw();
        }
        try (Connection connection = database.dataSource().getConnection()) {
            postgres.freeze();
            postgres.thaw();
            assertThat(connection.isValid(30)).isTrue();
        }
    }

    @Test
    void a_frozen_server_can_be_killed() throws SQLException {
        TestDatabase database = postgres.newDatabase();

        postgres.freeze();
        postgres.kill();
        postgres.start();

        assertThat(query(database, "SELECT 1")).isEqualTo("1");
    }

    private static String query(TestDatabase database, String sql) throws SQLException {
        try (Connection connection = database.dataSource().getConnection();
                Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery(sql)) {
            rows.next();
            return rows.getString(1);
        }
    }

    private static void execute(TestDatabase database, String sql) throws SQLException {
        try (Connection connection = database.dataSource().getConnection();
                Statement statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }
}
