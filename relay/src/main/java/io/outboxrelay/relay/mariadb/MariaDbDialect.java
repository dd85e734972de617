package io.outboxrelay.relay.mariadb;

import io.micrometer.core.instrument.MeterRegistry;
import io.outboxrelay.relay.database.Dialect;
import io.outboxrelay.relay.database.Failures;
import io.outboxrelay.relay.database.OutboxStore;
import io.outboxrelay.relay.database.Overview;
import io.outboxrelay.relay.database.Published;
import io.outboxrelay.relay.database.Session;
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
    public Session session(Session.Use use, String schema, Duration statementTimeout) {
        return new MariaDbSession(use, schema, statementTimeout, mySql);
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
