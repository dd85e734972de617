package io.outboxrelay.testservers;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.MethodSource;

/** The sessions that a test's database keeps. */
@ParameterizedClass
@MethodSource("io.outboxrelay.testservers.DatabaseKind#here")
@Tag("server")
class KeptSessionsTest {

    @Parameter
    DatabaseKind kind;

    private TestDatabase database;

    @BeforeEach
    void create() {
        database = kind.newDatabase();
    }

    @AfterEach
    void drop() {
        database.close();
    }

    @Test
    void the_session_of_a_closed_connection_is_used_again_and_a_connection_that_is_open_has_its_own()
            throws SQLException {
        try (Connection one = connect();
                Connection another = connect()) {
            assertThat(value(one, session())).isNotEqualTo(value(another, session()));
        }
        String kept = ask(session());

        assertThat(ask(session())).isEqualTo(kept);
    }

    @Test
    void a_session_is_used_again_without_transaction_lock_or_setting() throws SQLException {
        String timeZone = postgres() ? "SHOW timezone" : "SELECT @@time_zone";
        String usual = ask(timeZone);
        try (Connection connection = connect()) {
            execute(connection, "CREATE TABLE kept (word varchar(10) NOT NULL)");
            execute(connection, postgres() ? "SET timezone = 'Asia/Tokyo'" : "SET time_zone = '+09:00'");
            assertThat(value(connection, postgres() ? "SELECT pg_advisory_lock(7)" : "SELECT get_lock('seven', 1)"))
                    .isNotEqualTo("0");
            connection.setAutoCommit(false);
            execute(connection, "INSERT INTO kept VALUES ('lost')");
        }

        try (Connection connection = connect();
                Connection another = connect()) {
            assertThat(value(connection, "SELECT count(*) FROM kept")).isEqualTo("0");
            assertThat(value(connection, timeZone)).isEqualTo(usual);
            assertThat(connection.getAutoCommit()).isTrue();
            assertThat(value(
                            another,
                            postgres()
                                    ? "SELECT CASE WHEN pg_try_advisory_lock(7) THEN 'locked' END"
                                    : "SELECT CASE WHEN get_lock('seven', 0) = 1 THEN 'locked' END"))
                    .isEqualTo("locked");
            execute(connection, "INSERT INTO kept VALUES ('pöst €')");
            assertThatThrownBy(() -> execute(connection, "INSERT INTO kept VALUES ('longer than ten')"))
                    .isInstanceOf(SQLException.class);
        }
        assertThat(ask("SELECT word FROM kept")).isEqualTo("pöst €");
    }

    @Test
    void a_session_that_was_ended_is_replaced() throws SQLException {
        String kept = ask(session());
        try (Connection administrator = database.dataSource().getConnection()) {
            execute(administrator, postgres() ? "SELECT pg_terminate_backend(" + kept + ")" : "KILL " + kept);
        }

        assertThat(ask(session())).isNotEqualTo(kept);
    }

    @Test
    void a_connection_that_is_closed_says_so_and_leaves_its_session_alone() throws SQLException {
        Connection closed = connect();
        closed.close();
        closed.close();

        try (Connection next = connect()) {
            assertThat(closed.isClosed()).isTrue();
            assertThatThrownBy(closed::createStatement).isInstanceOf(SQLException.class);
            assertThat(value(next, "SELECT 1")).isEqualTo("1");
        }
    }

    @Test
    void closing_a_database_ends_its_sessions() throws SQLException {
        try (TestDatabase other = kind.newDatabase()) {
            List<String> sessions;
            try (Connection one = connect();
                    Connection another = connect()) {
                sessions = List.of(value(one, session()), value(another, session()));
            }

            database.close();

            String alive = postgres()
                    ? "SELECT count(*) FROM pg_stat_activity WHERE pid IN (%s)"
                    : "SELECT count(*) FROM information_schema.processlist WHERE id IN (%s)";
            await().atMost(Duration.ofSeconds(30)).until(() -> {
                try (Connection connection = other.sessions().getConnection()) {
                    return value(connection, alive.formatted(String.join(", ", sessions)))
                            .equals("0");
                }
            });
        }
    }

    private boolean postgres() {
        return kind == DatabaseKind.POSTGRESQL;
    }

    private String session() {
        return postgres() ? "SELECT pg_backend_pid()" : "SELECT connection_id()";
    }

    private Connection connect() throws SQLException {
        return database.sessions().getConnection();
    }

    private String ask(String query) throws SQLException {
        try (Connection connection = connect()) {
            return value(connection, query);
        }
    }

    private static String value(Connection connection, String query) throws SQLException {
        try (Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery(query)) {
            rows.next();
            return rows.getString(1);
        }
    }

    private static void execute(Connection connection, String sql) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }
}
