package io.outboxrelay.client;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import io.outboxrelay.schema.OutboxSchema;
import io.outboxrelay.testservers.TestDatabase;
import java.util.UUID;
import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.jdbc.support.JdbcTransactionManager;
import org.springframework.transaction.support.TransactionTemplate;

/** A service's database with the outbox, a pool, and Spring's transactions over it. */
final class ClientDatabase implements AutoCloseable {

    final TestDatabase server;
    final HikariDataSource pool;
    final JdbcTransactionManager transactions;
    final TransactionTemplate transaction;
    final JdbcTemplate jdbc;

    ClientDatabase(TestDatabase server) {
        this(server, "public");
    }

    ClientDatabase(TestDatabase server, String schema) {
        this.server = server;
        OutboxSchema.defaults().withSchema(schema).installOn(server.dataSource());
        this.pool = pool(server, "");
        this.transactions = new JdbcTransactionManager(pool);
        this.transaction = new TransactionTemplate(transactions);
        this.jdbc = new JdbcTemplate(pool);
    }

    /** Another pool, whose connections have only the rights of the given role. */
    static HikariDataSource pool(TestDatabase server, String role) {
        HikariConfig config = new HikariConfig();
        config.setJdbcUrl(server.jdbcUrl());
        config.setUsername(server.user());
        config.setPassword(server.password());
        config.setMaximumPoolSize(4);
        config.setConnectionTimeout(1_000);
        config.setInitializationFailTimeout(-1);
        if (!role.isEmpty()) {
            config.addDataSourceProperty("options", "-c role=" + role);
        }
        return new HikariDataSource(config);
    }

    Inbox inbox() {
        return new Inbox(pool, transactions);
    }

    void createEffects() {
        jdbc.execute("CREATE TABLE effect (event_id uuid NOT NULL, consumer text NOT NULL DEFAULT '')");
    }

    void effect(UUID eventId) {
        jdbc.update("INSERT INTO effect (event_id) VALUES (?)", eventId);
    }

    int count(String table) {
        Integer rows = jdbc.queryForObject("SELECT count(*) FROM " + table, Integer.class);
        return rows == null ? -1 : rows;
    }

    @Override
    public void close() {
        pool.close();
        server.close();
    }
}
