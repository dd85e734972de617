package io.outboxrelay.bench;

import io.outboxrelay.testservers.Postgres;
import io.outboxrelay.testservers.Preference;
import io.outboxrelay.testservers.PrivateRabbitMq;
import io.outboxrelay.testservers.PrivateServer;
import io.outboxrelay.testservers.TestDatabase;
import io.outboxrelay.testservers.TestVirtualHost;
import java.util.ArrayDeque;
import java.util.Deque;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;
import org.postgresql.ds.PGSimpleDataSource;

/** The database and the broker of a measurement: those that were named, else private ones that end with it. */
final class Servers implements AutoCloseable {

    /** Where a database is. */
    record Database(String name, String jdbcUrl, String user, String password) {}

    /** Where a broker is. */
    record Broker(String name, String amqpUri) {}

    private final Deque<Runnable> started = new ArrayDeque<>();
    private final Database database;
    private final Broker broker;

    /**
     * @param database the one to use; null to start one
     * @param broker the one to use; null to start one
     */
    Servers(@Nullable Database database, @Nullable Broker broker) {
        try {
            this.database = database == null ? startDatabase() : database;
            this.broker = broker == null ? startBroker() : broker;
        } catch (RuntimeException e) {
            close();
            throw e;
        }
    }

    String names() {
        return database.name() + " and " + broker.name();
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

    String amqpUri() {
        return broker.amqpUri();
    }

    DataSource dataSource() {
        PGSimpleDataSource source = new PGSimpleDataSource();
        source.setUrl(database.jdbcUrl());
        source.setUser(database.user());
        source.setPassword(database.password());
        return source;
    }

    @Override
    public void close() {
        while (!started.isEmpty()) {
            started.pop().run();
        }
    }

    private Database startDatabase() {
        PrivateServer<Postgres> server =
                io.outboxrelay.testservers.Servers.startPrivatePostgres(Preference.INSTALLED_FIRST);
        started.push(server::close);
        TestDatabase database = server.newDatabase();
        return new Database(server.name(), database.jdbcUrl(), database.user(), database.password());
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
