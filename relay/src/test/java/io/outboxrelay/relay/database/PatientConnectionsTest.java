package io.outboxrelay.relay.database;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.reflect.Proxy;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.random.RandomGenerator;
import org.junit.jupiter.api.Test;
import org.springframework.jdbc.datasource.AbstractDataSource;

class PatientConnectionsTest {

    private final List<Long> bounds = new ArrayList<>();
    private final Server server = new Server();
    private final Connections.Patient connections = new Connections.Patient(server, new NoWaiting());

    /** Records the bound of each wait, and returns at once. */
    private final class NoWaiting implements RandomGenerator {

        @Override
        public long nextLong() {
            return 0;
        }

        @Override
        public long nextLong(long bound) {
            bounds.add(Duration.ofNanos(bound).toMillis());
            return 0;
        }
    }

    private static final class Server extends AbstractDataSource {

        private boolean away = true;

        @Override
        public Connection getConnection() throws SQLException {
            if (away) {
                throw new SQLException("away");
            }
            return (Connection) Proxy.newProxyInstance(
                    Server.class.getClassLoader(),
                    new Class<?>[] {Connection.class},
                    (proxy, method, arguments) -> null);
        }

        @Override
        public Connection getConnection(String user, String password) throws SQLException {
            return getConnection();
        }
    }

    // hazard 35
    @Test
    void waits_twice_as_long_after_each_failure_up_to_a_bound_and_at_once_after_a_success() throws Exception {
        for (int attempt = 0; attempt < 8; attempt++) {
            assertThatThrownBy(connections::getConnection).hasMessage("away");
        }
        assertThat(bounds).containsExactly(100L, 200L, 400L, 800L, 1_600L, 2_000L, 2_000L);

        server.away = false;
        connections.getConnection();
        bounds.clear();
        connections.getConnection();
        assertThat(bounds).isEmpty();
    }
}
