package io.outboxrelay.relay.operations;

import io.outboxrelay.relay.database.Dialect.Access;
import io.outboxrelay.relay.source.Dialects;
import java.time.Duration;
import java.util.Properties;
import javax.sql.DataSource;
import org.springframework.jdbc.datasource.DriverManagerDataSource;

/** A data source for a command that asks a database once: a new connection for each call, no pool. */
public final class DirectConnections {

    private static final Duration CONNECTING = Duration.ofSeconds(10);

    /** A server that says nothing for so long is given up; counting what is retained may take its time. */
    private static final Duration LONGEST_STATEMENT = Duration.ofMinutes(10);

    private DirectConnections() {}

    /**
     * Describes the connections; none is opened yet.
     *
     * @param url JDBC URL
     * @param user database user
     * @param password the user's password; empty for none
     * @return the data source
     */
    public static DataSource to(String url, String user, String password) {
        Access access = Dialects.of(url)
                .orElseThrow(() -> new IllegalArgumentException("No database of this kind is supported: " + url))
                .access(url, "outbox-relay", CONNECTING, LONGEST_STATEMENT);
        Properties properties = new Properties();
        properties.putAll(access.properties());
        DriverManagerDataSource source = new DriverManagerDataSource(access.url(), user, password);
        source.setConnectionProperties(properties);
        return source;
    }
}
