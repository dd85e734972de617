package io.outboxrelay.relay.testing;

import static org.awaitility.Awaitility.await;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.outboxrelay.relay.database.Connections;
import io.outboxrelay.relay.database.Consumers;
import io.outboxrelay.relay.database.Dialect;
import io.outboxrelay.relay.database.Failures;
import io.outboxrelay.relay.database.OutboxStore;
import io.outboxrelay.relay.database.Session;
import io.outboxrelay.relay.lane.LaneStore;
import io.outboxrelay.relay.lane.LaneStore.Incarnation;
import io.outboxrelay.relay.lane.LaneStore.OwnedLane;
import io.outboxrelay.schema.OutboxSchema;
import io.outboxrelay.testservers.DatabaseKind;
import io.outboxrelay.testservers.TestDatabase;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import javax.sql.DataSource;
import org.springframework.jdbc.datasource.DriverManagerDataSource;

/** A database with an installed outbox, and what services do in it. */
public final class OutboxDatabase implements AutoCloseable {

    private static final Duration STATEMENT_TIMEOUT = Duration.ofSeconds(30);
    private static final String INSERT = """
        INSERT INTO outbox (aggregate_type, aggregate_id, event_type, payload, content_type)
        VALUES ('Order', ?, 'OrderPlaced', ?, 'application/json')\
        """;

    private final TestDatabase database;
    private final List<HikariDataSource> pools = new ArrayList<>();
    private final Map<Integer, OwnedLane> owned = new HashMap<>();

    private OutboxDatabase(TestDatabase database) {
        this.database = database;
    }

    /** A new database on the shared PostgreSQL, with an outbox of this number of lanes. */
    public static OutboxDatabase withLanes(int lanes) {
        return withLanes(DatabaseKind.POSTGRESQL, lanes);
    }

    /** A new database on the shared server of a kind, with an outbox of this number of lanes. */
    public static OutboxDatabase withLanes(DatabaseKind kind, int lanes) {
        return new OutboxDatabase(
                kind.newDatabase("outbox with " + lanes + " lanes", database -> install(database, lanes)));
    }

    /** Installs an outbox in a database, which belongs to the result from then on. */
    public static OutboxDatabase installedIn(TestDatabase database, int lanes) {
        install(database, lanes);
        return new OutboxDatabase(database);
    }

    private static void install(TestDatabase database, int lanes) {
        OutboxSchema.defaults().withLanes(lanes).installOn(new OutboxDatabase(database).asTheRelay());
    }

    /** A database in which the caller installs the outbox himself, or none; it belongs to the result from then on. */
    public static OutboxDatabase in(TestDatabase database) {
        return new OutboxDatabase(database);
    }

    public TestDatabase database() {
        return database;
    }

    public boolean isInnoDb() {
        return database.kind().isInnoDb();
    }

    /** The dialect that the relay would choose. */
    public Dialect dialect() {
        return Dialect.of(database.jdbcUrl()).orElseThrow();
    }

    /** What people's commands ask and change, as the owner. */
    public Failures failures() {
        return failures(asTheRelay());
    }

    /** The same, connected in a certain way. */
    public Failures failures(DataSource connections) {
        return dialect().failures(OutboxSchema.DEFAULT_NAME, begun(connections, Session.Use.COMMAND));
    }

    /** What people's commands ask and change about consumers, as the owner. */
    public Consumers consumers() {
        return consumers(asTheRelay());
    }

    /** The same, connected in a certain way. */
    public Consumers consumers(DataSource connections) {
        return dialect().consumers(OutboxSchema.DEFAULT_NAME, begun(connections, Session.Use.COMMAND));
    }

    /** Makes the tables say that they have a version. */
    public void versionIs(int version) {
        execute(
                isInnoDb()
                        ? "CREATE OR REPLACE SQL SECURITY INVOKER VIEW outbox_schema_version AS SELECT %d AS version"
                                .formatted(version)
                        : "CREATE OR REPLACE FUNCTION outbox_schema_version() RETURNS int LANGUAGE sql IMMUTABLE AS"
                                + " 'SELECT %d'".formatted(version));
    }

    /** The statements of a relay that connects as the owner. */
    public OutboxStore outbox() {
        return outbox(1_000_000);
    }

    public OutboxStore outbox(int maxEventBytes) {
        return outbox(asTheRelay(), maxEventBytes);
    }

    /** The statements of a relay that connects in a certain way. */
    public OutboxStore outbox(DataSource connections, int maxEventBytes) {
        return outbox(connections, maxEventBytes, false);
    }

    /** The statements of a relay that retains published events. */
    public OutboxStore retainingOutbox() {
        return retainingOutbox(asTheRelay());
    }

    /** The same, connected in a certain way. */
    public OutboxStore retainingOutbox(DataSource connections) {
        return outbox(connections, 1_000_000, true);
    }

    private OutboxStore outbox(DataSource connections, int maxEventBytes, boolean retaining) {
        return dialect()
                .outbox(
                        "orders",
                        OutboxSchema.DEFAULT_NAME,
                        pool(begun(connections, Session.Use.LANE)),
                        pool(begun(connections, Session.Use.HOUSEKEEPING)),
                        maxEventBytes,
                        retaining,
                        new SimpleMeterRegistry());
    }

    /** Connections as the owner, by the driver that the relay has for this kind of database. */
    public DataSource asTheRelay() {
        return asTheRelay(database.user(), database.password());
    }

    /** The same, with the session that the relay begins for a use. */
    public DataSource asTheRelay(Session.Use use) {
        return begun(asTheRelay(), use);
    }

    /** Connections on which the relay has begun its session for a use. */
    public DataSource begun(DataSource connections, Session.Use use) {
        return Connections.prepared(connections, dialect().session(use, OutboxSchema.DEFAULT_NAME, STATEMENT_TIMEOUT));
    }

    private DataSource asTheRelay(String user, String password) {
        if (database.kind() != DatabaseKind.MYSQL) {
            return database.dataSource(user, password);
        }
        Dialect.Access access = dialect().access(database.jdbcUrl(), "test", STATEMENT_TIMEOUT, null);
        Properties properties = new Properties();
        properties.putAll(access.properties());
        properties.put("user", user);
        properties.put("password", password);
        return new DriverManagerDataSource(access.url(), properties);
    }

    /** Connections of a user with only one of the outbox's roles. */
    public DataSource loginWithOnly(String role) {
        String user = login();
        if (isInnoDb()) {
            String its = database.name() + "_" + role;
            execute("CREATE USER " + user + " IDENTIFIED BY 'secret'");
            execute("GRANT " + its + " TO " + user);
            setDefaultRole(its, user);
            if (role.equals("outbox_relay")) {
                execute("GRANT PROCESS ON *.* TO " + user);
            }
        } else {
            execute("CREATE ROLE " + user + " LOGIN PASSWORD 'secret'");
            execute("GRANT " + role + " TO " + user);
        }
        return asTheRelay(user, "secret");
    }

    private void setDefaultRole(String role, String user) {
        execute("SET DEFAULT ROLE " + role + (database.kind() == DatabaseKind.MYSQL ? " TO " : " FOR ") + user);
    }

    /** Gives the user of {@link #loginWithOnly} another role instead of the one it has. */
    public void giveLogin(String role, String instead) {
        String prefix = isInnoDb() ? database.name() + "_" : "";
        execute("REVOKE " + prefix + instead + " FROM " + login());
        execute("GRANT " + prefix + role + " TO " + login());
        if (isInnoDb()) {
            setDefaultRole(prefix + role, login());
        }
    }

    /** How many sessions wait for a lock. */
    public long waitingForLocks() {
        return number(isInnoDb() ? """
            SELECT count(*) FROM information_schema.innodb_trx t
            JOIN information_schema.processlist p ON p.id = t.trx_mysql_thread_id
            WHERE p.db = database() AND t.trx_state = 'LOCK WAIT'""" : """
            SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'""");
    }

    /** The user of {@link #loginWithOnly}. */
    public String login() {
        return "login_" + database.name();
    }

    /** Removes the user of {@link #loginWithOnly}. */
    public void dropLogin() {
        pools.forEach(HikariDataSource::close);
        execute((isInnoDb() ? "DROP USER " : "DROP ROLE ") + login());
    }

    private HikariDataSource pool(DataSource connections) {
        HikariConfig config = new HikariConfig();
        config.setDataSource(connections);
        config.setMaximumPoolSize(4);
        config.setMinimumIdle(0);
        HikariDataSource pool = new HikariDataSource(config);
        pools.add(pool);
        return pool;
    }

    /** Makes a free lane the test's own, so that it may claim from it. */
    public OwnedLane owned(int lane) {
        return owned.computeIfAbsent(lane, free -> {
            execute("UPDATE outbox_lane SET owner = 'test', epoch = 1, lease_until = '2100-01-01' WHERE owner IS NULL"
                    + " AND lane = "
                    + free);
            return new OwnedLane(free, "test", 1);
        });
    }

    /** The life of the server that the owner of a lane would claim in. */
    public static Incarnation life(OutboxStore store, OwnedLane owned) {
        return store.blocked(owned).map(LaneStore.Blocked::incarnation).orElse(Incarnation.UNKNOWN);
    }

    /** Writes one event in a separate transaction and returns its position. */
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
            Connection connection = connect();
            connection.setAutoCommit(false);
            return new Transaction(connection, database.kind());
        } catch (SQLException e) {
            throw new IllegalStateException(e);
        }
    }

    private Connection connect() throws SQLException {
        Connection connection = database.sessions().getConnection();
        if (isInnoDb()) {
            TestSql.prepare(connection, database.kind());
        }
        return connection;
    }

    /** Executes one statement, or several, in PostgreSQL's words. */
    public void execute(String sql) {
        try (Connection connection = connect();
                Statement statement = connection.createStatement()) {
            for (String one : TestSql.of(sql, database.kind())) {
                statement.execute(one);
            }
        } catch (SQLException e) {
            throw new IllegalStateException(e);
        }
    }

    /** The first column of all rows, as text. */
    public List<String> column(String sql) {
        try (Connection connection = connect();
                Statement statement = connection.createStatement();
                ResultSet rows =
                        statement.executeQuery(TestSql.of(sql, database.kind()).get(0))) {
            List<String> values = new ArrayList<>();
            while (rows.next()) {
                values.add(isInnoDb() ? TestSql.text(rows) : rows.getString(1));
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

    /** Waits until so much of the database's time has passed. */
    public void letPass(Duration time) {
        double end = seconds() + time.toSeconds();
        await().atMost(time.plus(STATEMENT_TIMEOUT)).until(() -> seconds() >= end);
    }

    private double seconds() {
        return Double.parseDouble(
                value(isInnoDb() ? "SELECT unix_timestamp(now(6))" : "SELECT extract(epoch FROM clock_timestamp())"));
    }

    @Override
    public void close() {
        pools.forEach(HikariDataSource::close);
        database.close();
    }

    /** A transaction of a service; closing one that was not committed rolls it back. */
    public static final class Transaction implements AutoCloseable {

        private final Connection connection;
        private final DatabaseKind kind;

        Transaction(Connection connection, DatabaseKind kind) {
            this.connection = connection;
            this.kind = kind;
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
                for (String one : TestSql.of(sql, kind)) {
                    statement.execute(one);
                }
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
