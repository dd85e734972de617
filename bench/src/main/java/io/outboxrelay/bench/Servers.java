package io.outboxrelay.bench;

import io.outboxrelay.testservers.DatabaseKind;
import io.outboxrelay.testservers.Preference;
import io.outboxrelay.testservers.PrivateRabbitMq;
import io.outboxrelay.testservers.PrivateServer;
import io.outboxrelay.testservers.TestDatabase;
import io.outboxrelay.testservers.TestVirtualHost;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashSet;
import java.util.Set;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;
import org.springframework.jdbc.datasource.DriverManagerDataSource;

/**
 * The database and the broker of a measurement: those that were named, else private ones that end with it. The broker
 * is started when it is first asked for.
 */
final class Servers implements AutoCloseable {

    /** Where a database is. */
    record Database(DatabaseKind kind, String name, String jdbcUrl, String user, String password) {}

    /** Where a broker is. */
    record Broker(String name, String amqpUri) {}

    private final Deque<Runnable> started = new ArrayDeque<>();
    private final Database database;
    private @Nullable Broker broker;

    /**
     * @param kind of the database that is started if none is named
     * @param database the one to use; null to start one
     * @param broker the one to use; null to start one
     */
    Servers(DatabaseKind kind, @Nullable Database database, @Nullable Broker broker) {
        this.database = database == null ? startDatabase(kind) : database;
        this.broker = broker;
    }

    /** Both, for people to read. */
    String names() {
        return database.name() + " and " + broker().name();
    }

    DatabaseKind kind() {
        return database.kind();
    }

    String jdbcUrl() {
        return database.jdbcUrl();
    }

    String user() {
        return database.user();
    }

    String password() {
        return database.password();
    }

    /** Whether the broker is named or has been started. */
    boolean hasBroker() {
        return broker != null;
    }

    String amqpUri() {
        return broker().amqpUri();
    }

    /** Connections to the database, a new one for each call. */
    DataSource dataSource() {
        return new DriverManagerDataSource(database.jdbcUrl(), database.user(), database.password());
    }

    /** The same, with statements that are prepared at the server, as PostgreSQL's driver does by default. */
    DataSource preparingDataSource() {
        String url = database.jdbcUrl();
        String prepare = kind().isInnoDb() ? (url.contains("?") ? "&" : "?") + "useServerPrepStmts=true" : "";
        return new DriverManagerDataSource(url + prepare, database.user(), database.password());
    }

    /** Names of the programs that serve the measurement by now. */
    Set<String> programs() {
        Set<String> programs = new HashSet<>(Set.of(databaseProgram()));
        if (hasBroker()) {
            programs.add(CpuTimes.ERLANG);
        }
        return programs;
    }

    /** The name of the database server's program. */
    String databaseProgram() {
        return switch (database.kind()) {
            case POSTGRESQL -> CpuTimes.POSTGRES;
            case MARIADB -> "mariadbd";
            case MYSQL -> "mysqld";
        };
    }

    @Override
    public void close() {
        while (!started.isEmpty()) {
            started.pop().run();
        }
    }

    private Database startDatabase(DatabaseKind kind) {
        PrivateServer<?> server = switch (kind) {
            case POSTGRESQL -> io.outboxrelay.testservers.Servers.startPrivatePostgres(Preference.INSTALLED_FIRST);
            case MARIADB -> io.outboxrelay.testservers.Servers.startPrivateMariaDb(Preference.INSTALLED_FIRST);
            case MYSQL -> io.outboxrelay.testservers.Servers.startPrivateMySql();
        };
        started.push(server::close);
        TestDatabase made = server.newDatabase();
        return new Database(kind, server.name(), made.jdbcUrl(), made.user(), made.password());
    }

    private Broker broker() {
        Broker known = broker;
        if (known == null) {
            known = startBroker();
            broker = known;
        }
        return known;
    }

    private Broker startBroker() {
        PrivateRabbitMq server = io.outboxrelay.testservers.Servers.startPrivateRabbitMq(Preference.INSTALLED_FIRST);
        started.push(server::close);
        if (server.name().startsWith("embedded")) {
            throw new IllegalStateException("NO SERVER: only the embedded broker could be started, which has no quorum"
                    + " queues; install RabbitMQ, start a container engine, or name a broker with --amqp-uri");
        }
        TestVirtualHost host = server.newVirtualHost();
        return new Broker(server.name(), host.amqpUri());
    }
}
