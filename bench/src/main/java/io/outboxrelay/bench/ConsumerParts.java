package io.outboxrelay.bench;

import com.rabbitmq.client.ConnectionFactory;
import com.zaxxer.hikari.HikariDataSource;
import org.springframework.jdbc.support.JdbcTransactionManager;
import org.springframework.transaction.PlatformTransactionManager;

/**
 * What every measured consumer is given in its process.
 *
 * @param database a pool with its default settings
 * @param transactions of the pool
 * @param broker how to connect
 * @param effects what is done about an event
 */
record ConsumerParts(
        HikariDataSource database, PlatformTransactionManager transactions, ConnectionFactory broker, Effects effects) {

    /** The name under which events are noted in the inbox. */
    static final String CONSUMER = "bench";

    static ConsumerParts open(String jdbcUrl, String user, String password, String amqpUri) throws Exception {
        HikariDataSource database = new HikariDataSource();
        database.setJdbcUrl(jdbcUrl);
        database.setUsername(user);
        database.setPassword(password);
        ConnectionFactory broker = new ConnectionFactory();
        broker.setUri(amqpUri);
        return new ConsumerParts(database, new JdbcTransactionManager(database), broker, new Effects(database));
    }
}
