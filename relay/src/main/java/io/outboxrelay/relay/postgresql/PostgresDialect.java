package io.outboxrelay.relay.postgresql;

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

/** PostgreSQL 14 to 18. */
public final class PostgresDialect implements Dialect {

    /** A connection that dies without a word is noticed soon after the server should have ended the statement. */
    private static final Duration SILENCE = Duration.ofSeconds(2);

    @Override
    public Access access(String url, String application, Duration connecting, @Nullable Duration statementTimeout) {
        Map<String, String> properties = new HashMap<>();
        properties.put("ApplicationName", application);
        // DETAIL quotes rows, payload included, and would be part of every exception's message; DatabaseMessage adds
        // what may be seen.
        properties.put("logServerErrorDetail", "false");
        properties.put("connectTimeout", String.valueOf(Math.max(1, connecting.toSeconds())));
        if (statementTimeout != null) {
            properties.put("tcpKeepAlive", "true");
            properties.put(
                    "socketTimeout",
                    String.valueOf(statementTimeout.plus(SILENCE).toSeconds()));
        }
        return new Access(url, properties);
    }

    @Override
    public Session session(Session.Use use, String schema, Duration statementTimeout) {
        return new PostgresSession(use, statementTimeout);
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
        return new PostgresOutbox(source, schema, lanes, housekeeping, maxEventBytes, retaining, meters);
    }

    @Override
    public Failures failures(String schema, DataSource connections) {
        return new PostgresFailures(schema, connections);
    }

    @Override
    public Published published(String schema, DataSource connections) {
        return new PostgresPublished(schema, connections);
    }

    @Override
    public Wakeup wakeup(String schema, DataSource connections) {
        return new PostgresWakeup(schema, connections);
    }

    @Override
    public Overview overview(String schema, DataSource connections) {
        return new PostgresOverview(schema, connections).read();
    }
}
