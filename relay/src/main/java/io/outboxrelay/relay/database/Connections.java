package io.outboxrelay.relay.database;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import com.zaxxer.hikari.HikariPoolMXBean;
import com.zaxxer.hikari.SQLExceptionOverride;
import com.zaxxer.hikari.util.DriverDataSource;
import io.outboxrelay.relay.database.Dialect.Access;
import io.outboxrelay.relay.database.Session.Use;
import io.outboxrelay.relay.lane.Backoff;
import io.outboxrelay.relay.lane.LogKeys;
import io.outboxrelay.relay.lane.OncePerMinute;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.SQLTransientConnectionException;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.Properties;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.random.RandomGenerator;
import javax.sql.DataSource;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.jdbc.datasource.DelegatingDataSource;
import org.springframework.jdbc.datasource.DriverManagerDataSource;

/**
 * The pools of one source. They lead to one server: once it says on any connection that it cannot write or is going
 * away, all connections of all pools are closed (those in use when they come back), and new ones resolve the address
 * again. Any thread may call it.
 */
public final class Connections implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(Connections.class);

    /** Shorter than the minute after which MariaDB and MySQL end an idle session. */
    private static final Duration KEEP_ALIVE = Duration.ofSeconds(30);

    private static final Duration LONGEST_VALIDATION = Duration.ofSeconds(2);
    /** Every connection in use reports a server that goes away; those opened since then need not be closed again. */
    private static final long BETWEEN_LEAVINGS = Duration.ofSeconds(1).toNanos();

    private static final Duration CONNECTING = Duration.ofSeconds(10);
    /** Counting retained events may take long; a server that is silent for longer is given up. */
    private static final Duration LONGEST_STATEMENT = Duration.ofMinutes(10);

    private final String source;
    private final Access access;
    private final String user;
    private final String password;
    private final Duration timeout;
    private final List<HikariDataSource> pools = new CopyOnWriteArrayList<>();
    private final List<Runnable> others = new CopyOnWriteArrayList<>();
    private final AtomicLong leftAt = new AtomicLong(System.nanoTime() - BETWEEN_LEAVINGS);
    private final OncePerMinute leavings = new OncePerMinute();

    /**
     * @param source its name
     * @param access how to connect
     * @param user database user
     * @param password the user's password
     * @param timeout longest wait for a connection
     */
    public Connections(String source, Access access, String user, String password, Duration timeout) {
        this.source = source;
        this.access = access;
        this.user = user;
        this.password = password;
        this.timeout = timeout;
    }

    /**
     * Describes connections without a pool, one for each call, with the session as the server makes it. Opens none yet.
     *
     * @param url JDBC URL
     * @param user database user
     * @param password the user's password; empty for none
     * @return the data source
     */
    public static DataSource direct(String url, String user, String password) {
        Access access = dialect(url).access(url, "outbox-relay", CONNECTING, LONGEST_STATEMENT);
        Properties properties = new Properties();
        properties.putAll(access.properties());
        DriverManagerDataSource source = new DriverManagerDataSource(access.url(), user, password);
        source.setConnectionProperties(properties);
        return source;
    }

    /**
     * Describes the connections of a command on an outbox, one for each call. Opens none yet.
     *
     * @param url JDBC URL
     * @param schema database schema of the outbox
     * @param user database user
     * @param password the user's password; empty for none
     * @return the data source
     */
    public static DataSource ofCommand(String url, String schema, String user, String password) {
        return prepared(direct(url, user, password), dialect(url).session(Use.COMMAND, schema, LONGEST_STATEMENT));
    }

    private static Dialect dialect(String url) {
        return Dialect.of(url)
                .orElseThrow(() -> new IllegalArgumentException("No database of this kind is supported: " + url));
    }

    /**
     * Prepares every connection by a session, and closes one that the session refuses.
     *
     * @param driver opens the connections
     * @param session prepares each
     * @return the prepared connections
     */
    public static DataSource prepared(DataSource driver, Session session) {
        return new Prepared(driver, session);
    }

    /**
     * Makes a pool. The database need not answer yet.
     *
     * @param what what the pool is for
     * @param size most connections
     * @param session prepares each
     * @return the pool, closed by {@link #close}
     */
    public DataSource pool(String what, int size, Session session) {
        HikariConfig config = new HikariConfig();
        config.setPoolName(source + "-" + what);
        Properties properties = new Properties();
        properties.putAll(access.properties());
        DataSource driver = new DriverDataSource(access.url(), null, properties, user, password);
        config.setDataSource(new Patient(prepared(driver, session), RandomGenerator.getDefault()));
        config.setMaximumPoolSize(size);
        config.setMinimumIdle(1);
        config.setKeepaliveTime(KEEP_ALIVE.toMillis());
        config.setInitializationFailTimeout(-1);
        config.setConnectionTimeout(timeout.toMillis());
        config.setValidationTimeout(Math.min(timeout.toMillis(), LONGEST_VALIDATION.toMillis()));
        config.setExceptionOverride(new Errors(session));
        HikariDataSource pool = new HikariDataSource(); // unlike one with a configuration, it does not connect yet
        config.copyStateTo(pool);
        pools.add(pool);
        return pool;
    }

    /**
     * Adds a call for a user that keeps a connection for long.
     *
     * @param other called on any thread when all connections are closed
     */
    public void whenLeaving(Runnable other) {
        others.add(other);
    }

    /**
     * Closes all connections, unless that was just done.
     *
     * @param why what the server said, or what is known of it
     */
    public void leave(String why) {
        long now = System.nanoTime();
        long before = leftAt.get();
        if (now - before < BETWEEN_LEAVINGS || !leftAt.compareAndSet(before, now)) {
            return;
        }
        leavings.occurred(count -> LOG.atInfo()
                .addKeyValue(LogKeys.SOURCE, source)
                .log(
                        "Source {}: closing all connections to the database and resolving its address again: {}{}",
                        source,
                        why,
                        OncePerMinute.andMore(count)));
        pools.stream()
                .map(HikariDataSource::getHikariPoolMXBean)
                .filter(Objects::nonNull) // a pool that was not used yet
                .forEach(HikariPoolMXBean::softEvictConnections);
        others.forEach(Runnable::run);
    }

    @Override
    public void close() {
        pools.forEach(HikariDataSource::close);
    }

    private final class Errors implements SQLExceptionOverride {

        private final Session session;

        private Errors(Session session) {
            this.session = session;
        }

        @java.lang.Override // SQLExceptionOverride has an Override of its own
        public Override adjudicate(SQLException error) {
            return switch (session.verdict(error)) {
                case KEEP -> Override.CONTINUE_EVICT;
                case RENEW -> Override.MUST_EVICT;
                case LEAVE -> {
                    leave(String.valueOf(error.getMessage()));
                    yield Override.MUST_EVICT;
                }
            };
        }
    }

    private static final class Prepared extends DelegatingDataSource {

        private final DataSource driver;
        private final Session session;

        private Prepared(DataSource driver, Session session) {
            super(driver);
            this.driver = driver;
            this.session = session;
        }

        @Override
        public Connection getConnection() throws SQLException {
            Connection fresh = super.getConnection();
            try {
                session.begin(fresh, driver);
                return fresh;
            } catch (SQLException e) {
                try {
                    fresh.close();
                } catch (SQLException alsoFailed) {
                    e.addSuppressed(alsoFailed);
                }
                throw e;
            }
        }
    }

    /**
     * Where a pool takes its connections from. The pool itself waits longer after each failed attempt, up to 5 s, but
     * all pools wait alike. This adds a random part, so that relays that lost a server together do not return together.
     * Called by the pool's thread for new connections.
     */
    static final class Patient extends DelegatingDataSource {

        private static final Backoff BACKOFF = new Backoff(Duration.ofMillis(100), Duration.ofSeconds(2));

        private final RandomGenerator random;
        private final ReentrantLock lock = new ReentrantLock();
        private final Condition never = lock.newCondition();
        private int failures;

        Patient(DataSource driver, RandomGenerator random) {
            super(driver);
            this.random = random;
        }

        @Override
        public Connection getConnection() throws SQLException {
            lock.lock();
            try {
                if (failures > 0) {
                    pause();
                }
                Connection connection = super.getConnection();
                failures = 0;
                return connection;
            } catch (SQLException e) {
                failures++;
                throw e;
            } finally {
                lock.unlock();
            }
        }

        private void pause() throws SQLException {
            try {
                long left = BACKOFF.after(failures, random).toNanos();
                while (left > 0) {
                    left = never.awaitNanos(left);
                }
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new SQLTransientConnectionException("the pool was closed while it waited to connect");
            }
        }
    }
}
