package io.outboxrelay.relay.database;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import com.zaxxer.hikari.SQLExceptionOverride;
import com.zaxxer.hikari.util.DriverDataSource;
import io.outboxrelay.relay.database.Dialect.Access;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Properties;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicLong;
import java.util.random.RandomGenerator;
import javax.sql.DataSource;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The pools of one source. They lead to one server: once it says on any connection that it cannot write or goes away, all
 * connections of all pools are closed, those in use when they come back, and new ones ask the address anew. Any thread may call
 * it.
 */
public final class Connections implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(Connections.class);

    /** Below the minute after which MariaDB and MySQL end a session that nobody uses. */
    private static final Duration KEEP_ALIVE = Duration.ofSeconds(30);

    private static final Duration LONGEST_VALIDATION = Duration.ofSeconds(2);
    /** Each connection in use says that its server goes away; those that were opened since need not be closed again. */
    private static final long BETWEEN_LEAVINGS = Duration.ofSeconds(1).toNanos();

    private static final long BETWEEN_WORDS = Duration.ofMinutes(1).toNanos();

    private final String source;
    private final Access access;
    private final String user;
    private final String password;
    private final Duration timeout;
    private final List<HikariDataSource> pools = new CopyOnWriteArrayList<>();
    private final List<Runnable> others = new CopyOnWriteArrayList<>();
    private final AtomicLong leftAt = new AtomicLong(System.nanoTime() - BETWEEN_LEAVINGS);
    private final AtomicLong saidAt = new AtomicLong(System.nanoTime() - BETWEEN_WORDS);

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
     * Makes a pool; a database that does not answer is no fault yet.
     *
     * @param what it is for
     * @param size most connections
     * @param session begins on each
     * @return closed by {@link #close}
     */
    public DataSource pool(String what, int size, Session session) {
        HikariConfig config = new HikariConfig();
        config.setPoolName(source + "-" + what);
        Properties properties = new Properties();
        properties.putAll(access.properties());
        DataSource driver = new DriverDataSource(access.url(), null, properties, user, password);
        config.setDataSource(
                new PatientConnections(new SessionConnections(driver, session), RandomGenerator.getDefault()));
        config.setMaximumPoolSize(size);
        config.setMinimumIdle(1);
        config.setKeepaliveTime(KEEP_ALIVE.toMillis());
        config.setInitializationFailTimeout(-1);
        config.setConnectionTimeout(timeout.toMillis());
        config.setValidationTimeout(Math.min(timeout.toMillis(), LONGEST_VALIDATION.toMillis()));
        config.setExceptionOverride(new Errors(session));
        HikariDataSource pool = new HikariDataSource(config);
        pools.add(pool);
        return pool;
    }

    /**
     * Says who keeps a connection for long.
     *
     * @param other called on any thread when all connections are to be given up
     */
    public void whenLeaving(Runnable other) {
        others.add(other);
    }

    /**
     * Gives up all connections. Does nothing when it was just done.
     *
     * @param why what the server said, or what is known of it
     */
    public void leave(String why) {
        long now = System.nanoTime();
        long before = leftAt.get();
        if (now - before < BETWEEN_LEAVINGS || !leftAt.compareAndSet(before, now)) {
            return;
        }
        say(why, now);
        pools.forEach(pool -> pool.getHikariPoolMXBean().softEvictConnections());
        others.forEach(Runnable::run);
    }

    private void say(String why, long now) {
        long before = saidAt.get();
        if (now - before >= BETWEEN_WORDS && saidAt.compareAndSet(before, now)) {
            LOG.info(
                    "Source {}: closing all connections to the database and resolving its address again: {}",
                    source,
                    why);
        }
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

        @java.lang.Override // Hikari's is another one
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
}
