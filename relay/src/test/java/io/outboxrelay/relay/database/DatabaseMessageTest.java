package io.outboxrelay.relay.database;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import io.outboxrelay.relay.testing.OutboxDatabase;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.ServerSocket;
import java.sql.SQLException;
import javax.sql.DataSource;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.springframework.jdbc.core.JdbcTemplate;

@Tag("server")
class DatabaseMessageTest {

    private static final String EVENT_WITHOUT_A_TYPE = """
        INSERT INTO outbox (aggregate_type, aggregate_id, event_type, payload, content_type, headers)
        VALUES (NULL, 'a', 'OrderPlaced', 'top-secret', 'text/plain', '{"token": "top-secret"}')\
        """;

    @Test
    void detail_hint_and_state_follow_the_message_on_one_line() {
        try (OutboxDatabase database = OutboxDatabase.withLanes(1)) {
            Throwable failure = failing(database.database().dataSource(), """
                DO $$ BEGIN
                    RAISE EXCEPTION E'cannot delete\\nfrom it'
                    USING ERRCODE = '42P10', DETAIL = 'Replica identity is unfit.', HINT = 'Change it.';
                END $$""");

            assertThat(DatabaseMessage.of(failure))
                    .isEqualTo("ERROR: cannot delete from it. Detail: Replica identity is unfit. Hint: Change it"
                            + " (SQLSTATE 42P10)");
        }
    }

    // hazard 68
    @Test
    void a_row_that_the_database_quotes_reaches_no_message() {
        try (OutboxDatabase database = OutboxDatabase.withLanes(1)) {
            Throwable failure = failing(database.database().dataSource(), EVENT_WITHOUT_A_TYPE);

            assertThat(failure.getCause()).as("what the driver says").hasMessageContaining("746f702d736563726574");
            assertThat(DatabaseMessage.of(failure))
                    .isEqualTo("ERROR: null value in column \"aggregate_type\" of relation \"outbox\" violates not-null"
                            + " constraint (SQLSTATE 23502)");
        }
    }

    @Test
    void not_even_the_stack_trace_of_a_relays_connection_has_a_row() {
        try (OutboxDatabase database = OutboxDatabase.withLanes(1)) {
            DataSource relay = Connections.direct(
                    database.database().jdbcUrl(),
                    database.database().user(),
                    database.database().password());
            StringWriter trace = new StringWriter();

            failing(relay, EVENT_WITHOUT_A_TYPE.replace("INSERT", "INSERT /* a relay's */"))
                    .printStackTrace(new PrintWriter(trace));

            assertThat(trace.toString())
                    .contains("violates not-null constraint")
                    .doesNotContain("746f702d736563726574", "Failing row");
        }
    }

    @Test
    void a_value_that_mariadb_quotes_is_left_out() {
        SQLException duplicate =
                new SQLException("(conn=7) Duplicate entry 'billing-it's a secret' for key 'PRIMARY'", "23000", 1062);

        assertThat(DatabaseMessage.of(duplicate))
                .isEqualTo("(conn=7) Duplicate entry '…' for key 'PRIMARY' (SQLSTATE 23000)");
    }

    @Test
    void a_server_that_cannot_be_reached_is_named_with_the_error_of_the_network() throws Exception {
        int port;
        try (ServerSocket free = new ServerSocket(0)) {
            port = free.getLocalPort();
        }
        DataSource nowhere = Connections.direct("jdbc:postgresql://127.0.0.1:" + port + "/orders", "relay", "");

        assertThat(DatabaseMessage.of(failing(nowhere, "SELECT 1")))
                .contains("127.0.0.1:" + port, "Connection refused", "08001");
    }

    @Test
    void where_no_database_is_involved_the_innermost_cause_speaks() {
        assertThat(DatabaseMessage.of(new IllegalStateException("outer", new IllegalArgumentException("inner\nmore"))))
                .isEqualTo("inner");
        assertThat(DatabaseMessage.saidBy(new IllegalStateException("outer"))).isEmpty();
    }

    private static Throwable failing(DataSource connections, String statement) {
        return catchThrowable(() -> new JdbcTemplate(connections).execute(statement));
    }
}
