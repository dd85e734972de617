package io.outboxrelay.relay.testing;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.outboxrelay.relay.database.Dialect;
import io.outboxrelay.relay.database.OutboxStore;
import io.outboxrelay.relay.postgresql.PostgresDialect;
import io.outboxrelay.schema.OutboxSchema;
import io.outboxrelay.testservers.Servers;
import io.outboxrelay.testservers.TestDatabase;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import javax.sql.DataSource;
import org.postgresql.ds.PGSimpleDataSource;

/** A database with an installed outbox, and what services do in it. */
public final class OutboxDatabase implements AutoCloseable {

    private static final Dialect DIALECT = new PostgresDialect();
    private static final Duration STATEMENT_TIMEOUT = Duration.ofSeconds(30);
    private static final String INSERT = """
        INSERT INTO outbox (aggregate_type, aggregate_id, event_type, payload, content_type)
        VALUES ('Order', ?, 'OrderPlaced', ?, 'application/json')\
        """;

    private final TestDatabase database;
    private final List<HikariDataSource> pools = new ArrayList<>();

    private OutboxDatabase(TestDatabase database) {
        this.database = database;
    }

    /** A new database on the shared server, with an outbox of so many lanes. */
    public static OutboxDatabase withLanes(int lanes) {
        return installedIn(Servers.postgres().newDatabase(), lanes);
    }

    /** Installs an outbox in a database, which belongs to the result from then on. */
    public static OutboxDatabase installedIn(TestDatabase database, int lanes) {
        OutboxSchema.defaults().withLanes(lanes).installOn(database.dataSource());
        return new OutboxDatabase(database);
    }

    public TestDatabase database() {
        return database;
    }

    /** The statements of a relay that connects as the owner. */
    public OutboxStore outbox() {
        return outbox(1_000_000);
    }

    public OutboxStore outbox(int maxEventBytes) {
        return outbox(database.dataSource(), maxEventBytes);
    }

    /** The statements of a relay that connects in a certain way. */
    public OutboxStore outbox(DataSource connections, int maxEventBytes) {
        return outbox(connections, maxEventBytes, false);
    }

    /** The statements of a relay that retains what was published. */
    public OutboxStore retainingOutbox() {
        return retainingOutbox(database.dataSource());
    }

    /** The same, connected in a certain way. */
    public OutboxStore retainingOutbox(DataSource connections) {
        return outbox(connections, 1_000_000, true);
    }

    private OutboxStore outbox(DataSource connections, int maxEventBytes, boolean retaining) {
        return DIALECT.outbox(
                "orders",
                OutboxSchema.DEFAULT_NAME,
                pool(connections, DIALECT.laneSession(STATEMENT_TIMEOUT)),
                pool(connections, DIALECT.housekeepingSession(STATEMENT_TIMEOUT)),
                maxEventBytes,
                retaining,
                new SimpleMeterRegistry());
    }

    /** Connections of a user who has nothing but one of the outbox's roles. */
    public DataSource loginWithOnly(String role) {
        String user = "login_" + database.name();
        execute("CREATE ROLE " + user + " LOGIN PASSWORD 'secret'");
        execute("GRANT " + role + " TO " + user);
        PGSimpleDataSource connections = (PGSimpleDataSource) database.dataSource();
        connections.setUser(user);
        connections.setPassword("secret");
        return connections;
    }

    /** Takes the user of {@link #loginWithOnly} away again. */
    public void dropLogin() {
        pools.forEach(HikariDataSource::close);
        execute("DROP ROLE login_" + database.name());
    }

    private HikariDataSource pool(DataSource connections, String session) {
        HikariConfig config = new HikariConfig();
        config.setDataSource(connections);
        config.setMaximumPoolSize(4);
        config.setMinimumIdle(0);
        config.setConnectionInitSql(session);
        HikariDataSource pool = new HikariDataSource(config);
        pools.add(pool);
        return pool;
    }

    /** Writes one event in a transaction of its own and returns its position. */
    public long write(Object orderId) {
        return write(orderId, "{}".getBytes(StandardCharsets.UTF_8));
    }

    public long write(Object orderId, byte[] payload) {
        try (Transaction transaction = begin()) {
            long position = transaction.write(orderId, payload);
            transaction.commit();
            return position;
        }
    }

    /** Begins a service's transaction. */
    public Transaction begin() {
        try {
            Connection connection = database.dataSource().getConnection();
            connection.setAutoCommit(false);
            return new Transaction(connection);
        } catch (SQLException e) {
            throw new IllegalStateException(e);
        }
    }

    public void execute(String sql) {
        try (Connection connection = database.dataSource().getConnection();
                Statement statement = connection.createStatement()) {
            statement.execute(sql);
        } catch (SQLException e) {
            throw new IllegalStateException(e);
        }
    }

    /** The first column of all rows, as text. */
    public List<String> column(String sql) {
        try (Connection connection = database.dataSource().getConnection();
                Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery(sql)) {
            List<String> values = new ArrayList<>();
            while (rows.next()) {
                values.add(rows.getString(1));
            }
            return values;
        } catch (SQLException e) {
            throw new IllegalStateException(e);
        }
    }

    public String value(String sql) {
        return column(sql).get(0);
    }

    public long number(String sql) {
        return Long.parseLong(value(sql));
    }

    @Override
    public void close() {
        pools.forEach(HikariDataSource::close);
        database.close();
    }

    /** A transaction of a service; closing one that was not committed rolls it back. */
    public static final class Transaction implements AutoCloseable {

        private final Connection connection;

        Transaction(Connection connection) {
            this.connection = connection;
        }

        public long write(Object orderId) {
            return write(orderId, "{}".getBytes(StandardCharsets.UTF_8));
        }

        public long write(Object orderId, byte[] payload) {
            try (PreparedStatement insert = connection.prepareStatement(INSERT, new String[] {"position"})) {
                insert.setString(1, String.valueOf(orderId));
                insert.setBytes(2, payload);
                insert.executeUpdate();
                try (ResultSet keys = insert.getGeneratedKeys()) {
                    keys.next();
                    return keys.getLong(1);
                }
            } catch (SQLException e) {
                throw new IllegalStateException(e);
            }
        }

        public void execute(String sql) {
            try (Statement statement = connection.createStatement()) {
                statement.execute(sql);
            } catch (SQLException e) {
                throw new IllegalStateException(e);
            }
        }

        public void commit() {
            try {
                connection.commit();
            } catch (SQLException e) {
                throw new IllegalStateException(e);
            }
        }

        @Override
        public void close() {
            try {
                connection.rollback();
                connection.close();
            } catch (SQLException e) {
                throw new IllegalStateException(e);
            }
        }
    }
}
