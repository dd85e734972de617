package io.outboxrelay.client;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import io.outboxrelay.schema.OutboxSchema;
import io.outboxrelay.testservers.DatabaseKind;
import io.outboxrelay.testservers.TestDatabase;
import java.nio.ByteBuffer;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.List;
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
        if (server.kind().isInnoDb() && !role.isEmpty()) {
            config.setUsername(userWith(role, server));
            config.setPassword("secret");
        }
        config.setMaximumPoolSize(4);
        config.setConnectionTimeout(1_000);
        config.setInitializationFailTimeout(-1);
        if (server.kind() == DatabaseKind.POSTGRESQL && !role.isEmpty()) {
            config.addDataSourceProperty("options", "-c role=" + role);
        }
        return new HikariDataSource(config);
    }

    /** MariaDB's roles are named after their database, and a user has to have one. */
    private static String userWith(String role, TestDatabase server) {
        String user = role + "_" + server.name().substring(server.name().length() - 10);
        String its = server.name() + "_" + role;
        JdbcTemplate owner = new JdbcTemplate(server.dataSource());
        owner.execute("DROP USER IF EXISTS " + user);
        owner.execute("CREATE USER " + user + " IDENTIFIED BY 'secret'");
        owner.execute("GRANT " + its + " TO " + user);
        owner.execute("SET DEFAULT ROLE " + its + (server.kind() == DatabaseKind.MYSQL ? " TO " : " FOR ") + user);
        return user;
    }

    boolean isMariaDb() {
        return server.kind().isInnoDb();
    }

    /** An id as the tables have it. */
    UUID uuid(ResultSet row, String column) throws SQLException {
        if (isMariaDb()) {
            ByteBuffer bytes = ByteBuffer.wrap(row.getBytes(column));
            return new UUID(bytes.getLong(), bytes.getLong());
        }
        return row.getObject(column, UUID.class);
    }

    Outbox outbox() {
        return new Outbox(pool, transactions);
    }

    Inbox inbox() {
        return new Inbox(pool, transactions);
    }

    void createEffects() {
        jdbc.execute("CREATE TABLE effect (event_id varchar(36) NOT NULL, consumer varchar(99) NOT NULL DEFAULT '')");
    }

    void effect(UUID eventId) {
        jdbc.update("INSERT INTO effect (event_id) VALUES (?)", eventId.toString());
    }

    /** The events that the inbox has noted. */
    List<UUID> inboxIds() {
        return jdbc.query("SELECT event_id FROM inbox", (row, n) -> uuid(row, "event_id"));
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
