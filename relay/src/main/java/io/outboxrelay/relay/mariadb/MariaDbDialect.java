package io.outboxrelay.relay.mariadb;

import io.micrometer.core.instrument.MeterRegistry;
import io.outboxrelay.relay.database.Dialect;
import io.outboxrelay.relay.database.Failures;
import io.outboxrelay.relay.database.OutboxStore;
import io.outboxrelay.relay.database.Overview;
import io.outboxrelay.relay.database.Published;
import io.outboxrelay.relay.database.Wakeup;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;

/** MariaDB 10.6 to 11, and MySQL 8 and 9; both by MariaDB's driver. */
public final class MariaDbDialect implements Dialect {

    /** A connection that dies without a word is noticed soon after the server should have ended the statement. */
    private static final Duration SILENCE = Duration.ofSeconds(2);

    /** A relay that stands still in a transaction, which holds its lane's row, loses it soon. */
    private static final int IDLE_IN_TRANSACTION_SECONDS = 5;

    /** MySQL has a limit only for sessions, in a transaction or not. The relay's pools use idle ones more often. */
    static final int IDLE_SECONDS = 60;

    private final boolean mySql;

    /** @param mySql whether it is MySQL */
    public MariaDbDialect(boolean mySql) {
        this.mySql = mySql;
    }

    @Override
    public Access access(String url, String application, Duration connecting, @Nullable Duration statementTimeout) {
        Map<String, String> properties = new HashMap<>();
        properties.put("connectionAttributes", "program_name:" + application);
        properties.put("connectTimeout", String.valueOf(Math.max(1, connecting.toSeconds()) * 1_000));
        properties.put("allowLocalInfile", "false");
        properties.put("tcpKeepAlive", "true");
        if (statementTimeout != null) {
            properties.put(
                    "socketTimeout",
                    String.valueOf(statementTimeout.plus(SILENCE).toMillis()));
        }
        return new Access(url.replaceFirst("^jdbc:mysql:", "jdbc:mariadb:"), properties);
    }

    @Override
    public String laneSession(Duration statementTimeout) {
        return session(statementTimeout);
    }

    @Override
    public String housekeepingSession(Duration statementTimeout) {
        return session(statementTimeout);
    }

    /**
     * UTC, no gap locks, no silent cutting off, but dates as they are, since a writer may have put one of all zeros into a row
     * that has to be moved; a bound for every statement (in MySQL for every SELECT), and waiting for a lock,
     * of rows or of a table, ends a little earlier. MariaDB would make a subquery of a list of a thousand.
     */
    private String session(Duration statementTimeout) {
        long millis = statementTimeout.toMillis();
        long lockSeconds = Math.max(1, (millis - millis / 5) / 1_000);
        String both =
                "SET time_zone = '+00:00', sql_mode = 'STRICT_ALL_TABLES,ALLOW_INVALID_DATES,NO_ENGINE_SUBSTITUTION',"
                        + " innodb_lock_wait_timeout = " + lockSeconds + ", lock_wait_timeout = " + lockSeconds;
        return mySql
                ? both + ", transaction_isolation = 'READ-COMMITTED', max_execution_time = " + millis
                        + ", wait_timeout = " + IDLE_SECONDS
                : both + ", tx_isolation = 'READ-COMMITTED', max_statement_time = " + millis / 1_000.0
                        + ", in_predicate_conversion_threshold = 0, idle_transaction_timeout = "
                        + IDLE_IN_TRANSACTION_SECONDS;
    }

    @Override
    public OutboxStore outbox(
            String source,
            String schema,
            DataSource lanes,
            DataSource housekeeping,
            int maxEventBytes,
            boolean retaining,
            MeterRegistry meters) {
        return new MariaDbOutbox(source, schema, lanes, housekeeping, maxEventBytes, retaining, mySql, meters);
    }

    @Override
    public Failures failures(String schema, DataSource connections) {
        return new MariaDbFailures(schema, connections, mySql);
    }

    @Override
    public Published published(String schema, DataSource connections) {
        return new MariaDbPublished(schema, connections, mySql);
    }

    /** These databases cannot call anyone. */
    @Override
    public @Nullable Wakeup wakeup(String schema, DataSource connections) {
        return null;
    }

    @Override
    public Overview overview(String schema, DataSource connections) {
        return new MariaDbOverview(schema, connections).read();
    }
}
