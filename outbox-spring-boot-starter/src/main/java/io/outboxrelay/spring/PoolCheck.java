package io.outboxrelay.spring;

import com.zaxxer.hikari.HikariConfigMXBean;
import com.zaxxer.hikari.HikariDataSource;
import io.outboxrelay.client.IdempotentConsumer;
import java.util.List;
import javax.sql.DataSource;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.boot.jdbc.DataSourceUnwrapper;

/**
 * Warns when the consumers may use more connections at once than HikariCP has. It does not stop the start: each thread
 * holds one connection at a time, so too few of them make consumers slow, and never stop them for good. Which other
 * parts of the application need connections nobody knows here.
 */
final class PoolCheck {

    private static final Logger LOG = LoggerFactory.getLogger(PoolCheck.class);

    private final DataSource dataSource;

    PoolCheck(DataSource dataSource) {
        this.dataSource = dataSource;
    }

    void check(List<IdempotentConsumer> consumers) {
        HikariDataSource pool =
                DataSourceUnwrapper.unwrap(dataSource, HikariConfigMXBean.class, HikariDataSource.class);
        if (pool == null || consumers.isEmpty()) {
            return;
        }
        int workers =
                consumers.stream().mapToInt(IdempotentConsumer::concurrency).sum();
        int connections =
                consumers.stream().mapToInt(IdempotentConsumer::connections).sum();
        if (pool.getMaximumPoolSize() < connections) {
            LOG.warn(
                    "The consumers {} have {} workers, each of which needs a database connection, and need {} in all,"
                            + " but the pool has only {}: workers wait for one another, and so does everything else"
                            + " that uses the pool. Set spring.datasource.hikari.maximum-pool-size to {} or more, plus"
                            + " what the rest of the application needs, or lower outbox.consumer.concurrency",
                    consumers.stream().map(IdempotentConsumer::name).distinct().toList(),
                    workers,
                    connections,
                    pool.getMaximumPoolSize(),
                    connections);
        }
    }
}
