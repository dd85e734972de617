package io.outboxrelay.relay.database;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.outboxrelay.relay.database.Session.Use;
import io.outboxrelay.relay.testing.OutboxDatabase;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;
import javax.sql.DataSource;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.postgresql.PGConnection;
import org.springframework.jdbc.datasource.AbstractDataSource;

/**
 * Poolers between the relay and PostgreSQL: what PgBouncer 1.18 shows to a client was tried by hand, and is shown here.
 */
@Tag("server")
class PoolerTest {

    private final List<Connection> servers = new ArrayList<>();
    private OutboxDatabase database;
    private int asked;

    @BeforeEach
    void connect() throws SQLException {
        database = OutboxDatabase.withLanes(1);
        for (int n = 0; n < 2; n++) {
            servers.add(database.database().dataSource().getConnection());
        }
    }

    @AfterEach
    void disconnect() throws SQLException {
        for (Connection server : servers) {
            server.close();
        }
        database.close();
    }

    // hazard 77
    @Test
    void a_pooler_that_gives_the_session_used_last_to_the_next_transaction_is_refused_before_anything_is_set()
            throws SQLException {
        assertRefused(behind(() -> servers.get(0)));
        try (Statement statement = servers.get(0).createStatement();
                ResultSet row = statement.executeQuery("SHOW synchronous_commit")) {
            row.next();
            assertThat(row.getString(1)).isEqualTo("on");
        }
    }

    // hazard 77
    @Test
    void a_pooler_that_gives_sessions_in_turn_is_refused() {
        assertRefused(behind(() -> servers.get(asked++ % servers.size())));
    }

    // hazard 77
    @Test
    void a_pooler_that_gives_a_client_a_session_of_its_own_is_as_good_as_none() throws SQLException {
        Connection own = servers.get(0);
        Connection another = servers.get(1);
        List<Connection> left = new ArrayList<>(List.of(own, another));
        DataSource pooler = new AbstractDataSource() {
            @Override
            public Connection getConnection() {
                Connection mine = left.remove(0);
                return client(() -> mine);
            }

            @Override
            public Connection getConnection(String user, String password) {
                return getConnection();
            }
        };

        try (Connection begun = begun(pooler).getConnection()) {
            assertThat(begun.isClosed()).isFalse();
        }
    }

    private static void assertRefused(DataSource pooler) {
        assertThatThrownBy(() -> begun(pooler).getConnection())
                .isInstanceOf(SQLException.class)
                .hasMessageContaining("pool_mode = transaction")
                .hasMessageContaining("pool_mode = session");
    }

    private static DataSource begun(DataSource pooler) {
        return Connections.prepared(pooler, new PostgresSession(Use.LANE, Duration.ofSeconds(30)));
    }

    private static DataSource behind(Supplier<Connection> next) {
        return new AbstractDataSource() {
            @Override
            public Connection getConnection() {
                return client(next);
            }

            @Override
            public Connection getConnection(String user, String password) {
                return getConnection();
            }
        };
    }

    /** Each statement is a transaction; the process announced to the client does not exist. */
    private static Connection client(Supplier<Connection> next) {
        return (Connection) Proxy.newProxyInstance(
                PoolerTest.class.getClassLoader(), new Class<?>[] {Connection.class}, (proxy, method, arguments) -> {
                    if (method.getName().equals("unwrap")) {
                        return Proxy.newProxyInstance(
                                PoolerTest.class.getClassLoader(),
                                new Class<?>[] {PGConnection.class},
                                (p, m, a) -> -1);
                    }
                    if (method.getName().equals("close")) {
                        return null;
                    }
                    try {
                        return method.invoke(next.get(), arguments);
                    } catch (InvocationTargetException e) {
                        throw e.getCause();
                    }
                });
    }
}
