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
import org.junit.jupiter.params.provider.CsvSource;

/** A private MariaDB or MySQL, on every kind of server. */
@ParameterizedClass
@CsvSource({"MARIADB, CONTAINERS", "MARIADB, INSTALLED", "MARIADB, EMBEDDED", "MYSQL, CONTAINERS", "MYSQL, INSTALLED"})
@Tag("server")
@Tag("full")
class PrivateMariaDbTest {
    @Parameter(0)
    DatabaseKind database;

    @Parameter(1)
    ServerKind kind;

    static @Nullable PrivateServer<MariaDb> maria;

    @BeforeParameterizedClassInvocation
    static void start(DatabaseKind database, ServerKind kind) {
        if (database == DatabaseKind.MYSQL) {
            AvailableKinds.assumeMySql(kind);
            maria = Servers.startPrivateMySql(AvailableKinds.only(kind));
        } else {
            AvailableKinds.assumeMariaDb(kind);
            maria = Servers.startPrivateMariaDb(AvailableKinds.only(kind));
        }
    }

    @AfterParameterizedClassInvocation
    static void close() {
        PrivateServer<MariaDb> closed = maria;
        maria = null;
        if (closed != null) {
            closed.close();
            assertThatThrownBy(closed::newDatabase).isInstanceOf(IllegalStateException.class);
        }
    }

    @Test
    void reports_its_kind() {
        String product = database == DatabaseKind.MYSQL ? "mysql" : "mariadb";
        assertThat(maria.name())
                .matches(
                        switch (kind) {
                            case CONTAINERS -> product + "-container";
                            case INSTALLED -> product + "-[0-9.]+";
                            case EMBEDDED -> "embedded-" + product + "-[0-9.]+";
                        });
    }

    @Test
    void a_new_database_is_empty_and_its_user_may_do_everything() throws SQLException {
        try (TestDatabase database = maria.newDatabase()) {
            assertThat(query(
                            database, "SELECT count(*) FROM information_schema.tables WHERE table_schema = database()"))
                    .isEqualTo("0");
            execute(database, "CREATE ROLE outbox_test_role");
            execute(database, "DROP ROLE outbox_test_role");
            try (Connection connection =
                    DriverManager.getConnection(database.jdbcUrl(), database.user(), database.password())) {
                assertThat(connection.getCatalog()).isEqualTo(database.name());
            }
        }
    }

    @Test
    void a_closed_database_is_dropped_despite_open_sessions() throws SQLException {
        try (TestDatabase other = maria.newDatabase()) {
            TestDatabase database = maria.newDatabase();
            try (Connection connection = database.dataSource().getConnection()) {
                assertThat(connection.isValid(5)).isTrue();
                database.close();
            }
            await().atMost(Duration.ofSeconds(30))
                    .until(() -> query(
                                    other,
                                    "SELECT count(*) FROM information_schema.schemata WHERE schema_name = '"
                                            + database.name() + "'")
                            .equals("0"));
        }
    }

    @Test
    void commits_reach_the_disk_before_they_are_confirmed() throws SQLException {
        try (TestDatabase database = maria.newDatabase()) {
            assertThat(query(database, "SELECT @@innodb_flush_log_at_trx_commit"))
                    .isEqualTo("1");
        }
    }

    @Test
    void a_killed_server_restarts_on_its_port_with_all_committed_data() throws SQLException {
        TestDatabase database = maria.newDatabase();
        execute(database, "CREATE TABLE kept AS SELECT 42 AS answer");

        maria.kill();
        assertThatThrownBy(() -> query(database, "SELECT 1")).isInstanceOf(SQLException.class);
        maria.start();

        assertThat(query(database, "SELECT answer FROM kept")).isEqualTo("42");
    }

    @Test
    void a_stopped_server_restarts_on_its_port_with_all_committed_data() throws SQLException {
        TestDatabase database = maria.newDatabase();
        execute(database, "CREATE TABLE kept AS SELECT 42 AS answer");

        maria.stop();
        assertThatThrownBy(() -> query(database, "SELECT 1")).isInstanceOf(SQLException.class);
        maria.start();

        assertThat(query(database, "SELECT answer FROM kept")).isEqualTo("42");
    }

    @Test
    void a_frozen_server_is_silent_and_a_thawed_one_keeps_its_connections() throws Exception {
        TestDatabase database = maria.newDatabase();
        try (Connection connection = database.dataSource().getConnection()) {
            maria.freeze();
            assertThat(connection.isValid(1)).isFalse();
            maria.thaw();
        }
        try (Connection connection = database.dataSource().getConnection()) {
            maria.freeze();
            maria.thaw();
            assertThat(connection.isValid(30)).isTrue();
        }
    }

    @Test
    void a_frozen_server_can_be_killed() throws SQLException {
        TestDatabase database = maria.newDatabase();

        maria.freeze();
        maria.kill();
        maria.start();

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
