package io.outboxrelay.testservers;

import javax.sql.DataSource;
import org.postgresql.ds.PGSimpleDataSource;

/** A database of one test on a server that others may share. Its user may do everything in it. */
public final class TestDatabase implements AutoCloseable {
    private final Postgres server;
    private final ServerAddress address;
    private final String name;

    TestDatabase(Postgres server, ServerAddress address, String name) {
        this.server = server;
        this.address = address;
        this.name = name;
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
     * Where the server listens; it stays the same over {@link PrivatePostgres#kill} and {@link PrivatePostgres#start}.
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
     * @return {@code jdbc:postgresql://host:port/name}
     */
    public String jdbcUrl() {
        return "jdbc:postgresql://%s:%d/%s".formatted(address.host(), address.port(), name);
    }

    /**
     * Connections to the database as its owner, a new one for each call: there is no pool.
     *
     * @return a new data source
     */
    public DataSource dataSource() {
        return source(address, name);
    }

    /** Drops the database and ends all sessions in it; a server that is down is left alone. */
    @Override
    public void close() {
        AtExit.forget(this);
        server.drop(name);
    }

    /** As {@link #dataSource()}, but gives up soon: for questions to a server that may be down or frozen. */
    static DataSource impatient(ServerAddress address, String database) {
        PGSimpleDataSource source = source(address, database);
        source.setConnectTimeout(5);
        source.setSocketTimeout(30);
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
