package io.outboxrelay.spring;

import static org.assertj.core.api.Assertions.assertThat;

import io.outboxrelay.client.Inbox;
import io.outboxrelay.client.Outbox;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.springframework.beans.factory.support.StaticListableBeanFactory;
import org.springframework.jdbc.datasource.AbstractDataSource;
import org.springframework.jdbc.support.JdbcTransactionManager;

class TablesCheckTest {

    @Test
    void a_database_that_is_away_is_waited_for_once() {
        AtomicInteger waits = new AtomicInteger();
        AbstractDataSource away = new AbstractDataSource() {

            @Override
            public Connection getConnection() throws SQLException {
                waits.incrementAndGet();
                throw new SQLException("away", "08001");
            }

            @Override
            public Connection getConnection(String user, String password) throws SQLException {
                return getConnection();
            }
        };
        JdbcTransactionManager transactions = new JdbcTransactionManager(away);
        StaticListableBeanFactory beans = new StaticListableBeanFactory(
                Map.of("outbox", new Outbox(away, transactions), "inbox", new Inbox(away, transactions)));

        new TablesCheck(beans.getBeanProvider(Outbox.class), beans.getBeanProvider(Inbox.class))
                .afterSingletonsInstantiated();

        assertThat(waits).hasValue(1);
    }
}
