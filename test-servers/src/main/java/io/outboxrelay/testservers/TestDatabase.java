package io.outboxrelay.testservers;

import com.mysql.cj.jdbc.MysqlDataSource;
import java.sql.SQLException;
import java.time.Duration;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import javax.sql.DataSource;
import org.mariadb.jdbc.MariaDbDataSource;
import org.postgresql.ds.PGSimpleDataSource;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A database of one test on a server that others may share. Its user may do everything in it. */
public final class TestDatabase implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(TestDatabase.class);
    private static final Duration LONGEST_END = Duration.ofSeconds(20);
    private static final ExecutorService DROPS = Executors.newSingleThreadExecutor(task -> {
        Thread thread = new Thread(task, "drops-of-test-databases");
        thread.setDaemon(true);
        return thread;
    });

    static {
        AtExit.close(
                () -> { // after the databases, which are younger
                    DROPS.shutdown();
                    if (!DROPS.awaitTermination(LONGEST_END.toMillis(), TimeUnit.MILLISECONDS)) {
                        LOG.error("Some databases could not be dropped within {} s", LONGEST_END.toSeconds());
                    }
                });
    }

    private final AtomicBoolean isDropped = new AtomicBoolean();
    private final DatabaseKind kind;
    private final Consumer<String> server;
    private final ServerAddress address;
    private final String name;
    private final KeptSessions sessions;

    /**
     * @param kind of database
     * @param server drops a database of a name
     * @param address where the server is
     * @param name of the database
     */
    TestDatabase(DatabaseKind kind, Consumer<String> server, ServerAddress address, String name) {
        this.kind = kind;
        this.server = server;
        this.address = address;
        this.name = name;
        this.sessions = new KeptSessions(kind, ownSessions());
    }

    private DataSource ownSessions() {
        return kind == DatabaseKind.MARIADB
                ? mariaDb(jdbcUrl() + "?useResetConnection=true", user(), password())
                : dataSource();
    }

    /**
     * What kind of database it is.
     *
     * @return as the server's
     */
    public DatabaseKind kind() {
        return kind;
    }

    /**
     * The database's name, which no other database of the server has.
     *
     * @return an identifier that needs no quotes
     */
    public String name() {
        return name;
    }

    /**
     * Where the server listens.
     *
     * @return a host name or address of this machine
     */
    public String host() {
        return address.host();
    }

    /**
     * Where the server listens; it stays the same over {@link PrivateServer#kill} and {@link PrivateServer#start}.
     *
     * @return a TCP port
     */
    public int port() {
        return address.port();
    }

    /**
     * The owner of the database, a superuser of the server.
     *
     * @return a role's name
     */
    public String user() {
        return address.user();
    }

    /**
     * The owner's password.
     *
     * @return never empty, also where the server trusts everyone
     */
    public String password() {
        return address.password();
    }

    /**
     * The address for JDBC, without user and password.
     *
     * @return such as {@code jdbc:mariadb://host:port/name}; that of MySQL lets its usual way of logging in do without
     *     TLS, in the words of MySQL's driver and of MariaDB's
     */
    public String jdbcUrl() {
        String login = kind == DatabaseKind.MYSQL ? "?allowPublicKeyRetrieval=true" : "";
        return "%s//%s:%d/%s%s".formatted(kind.scheme(), address.host(), address.port(), name, login);
    }

    /**
     * Connections to the database as its owner, a new one for each call: there is no pool.
     *
     * @return a new data source
     */
    public DataSource dataSource() {
        return dataSource(address.user(), address.password());
    }

    /**
     * Connections to the database as its owner for a test's own questions and writes. Their sessions are kept until the
     * database is closed, and reset when their connection is closed; only a new session, of {@link #dataSource()}, has
     * the database's or the owner's changed defaults.
     *
     * @return always the same
     */
    public DataSource sessions() {
        return sessions;
    }

    /**
     * Connections to the database as another user, a new one for each call.
     *
     * @param user must exist
     * @param password the user's
     * @return a new data source
     */
    public DataSource dataSource(String user, String password) {
        return switch (kind) {
            case POSTGRESQL -> source(new ServerAddress(address.host(), address.port(), user, password), name);
            case MARIADB -> mariaDb(jdbcUrl(), user, password);
            case MYSQL -> mySql(jdbcUrl(), user, password);
        };
    }

    /**
     * Drops the database and ends all sessions in it, soon and without waiting for it: PostgreSQL takes a checkpoint
     * for each. A server that is down is left alone.
     */
    @Override
    public void close() {
        sessions.close();
        if (AtExit.exiting()) {
            drop();
        } else {
            DROPS.execute(this::drop);
        }
    }

    private void drop() {
        if (isDropped.compareAndSet(false, true)) {
            try {
                server.accept(name);
            } catch (RuntimeException e) {
                LOG.error("The database {} could not be dropped: {}", name, e.getMessage());
            }
            AtExit.forget(this);
        }
    }

    /** As {@link #dataSource()}, but gives up soon: for questions to a server that may be down or frozen. */
    static DataSource impatient(ServerAddress address, String database) {
        PGSimpleDataSource source = source(address, database);
        source.setConnectTimeout(5);
        source.setSocketTimeout(30);
        return source;
    }

    /** As {@link #impatient(ServerAddress, String)}, for MariaDB or MySQL, and in no database. */
    static DataSource impatient(DatabaseKind kind, ServerAddress address) {
        String url = "%s//%s:%d/?connectTimeout=5000&socketTimeout=60000"
                .formatted(kind.scheme(), address.host(), address.port());
        return kind == DatabaseKind.MYSQL
                ? mySql(url, address.user(), address.password())
                : mariaDb(url, address.user(), address.password());
    }

    private static DataSource mariaDb(String url, String user, String password) {
        try {
            MariaDbDataSource source = new MariaDbDataSource(url);
            source.setUser(user);
            source.setPassword(password);
            return source;
        } catch (SQLException e) {
            throw new IllegalStateException("%s is not a URL for MariaDB".formatted(url), e);
        }
    }

    private static DataSource mySql(String url, String user, String password) {
        MysqlDataSource source = new MysqlDataSource();
        source.setUrl(url);
        source.setUser(user);
        source.setPassword(password);
        return source;
    }

    private static PGSimpleDataSource source(ServerAddress address, String database) {
        PGSimpleDataSource source = new PGSimpleDataSource();
        source.setServerNames(new String[] {address.host()});
        source.setPortNumbers(new int[] {address.port()});
        source.setDatabaseName(database);
        source.setUser(address.user());
        source.setPassword(address.password());
        return source;
    }
}
