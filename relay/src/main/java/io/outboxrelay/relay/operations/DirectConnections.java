package io.outboxrelay.relay.operations;

import io.outboxrelay.relay.database.Dialect;
import io.outboxrelay.relay.database.Dialect.Access;
import io.outboxrelay.relay.database.Session.Use;
import io.outboxrelay.relay.database.SessionConnections;
import io.outboxrelay.relay.source.Dialects;
import io.outboxrelay.relay.source.SourceSettings;
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
     * Describes the connections; none is opened yet. Their sessions are as the server makes them.
     *
     * @param url JDBC URL
     * @param user database user
     * @param password the user's password; empty for none
     * @return the data source
     */
    public static DataSource to(String url, String user, String password) {
        Access access = dialect(url).access(url, "outbox-relay", CONNECTING, LONGEST_STATEMENT);
        Properties properties = new Properties();
        properties.putAll(access.properties());
        DriverManagerDataSource source = new DriverManagerDataSource(access.url(), user, password);
        source.setConnectionProperties(properties);
        return source;
    }

    /**
     * Describes the connections of a command that asks or changes an outbox.
     *
     * @param source where the outbox is
     * @param user database user
     * @param password the user's password; empty for none
     * @return the data source
     */
    public static DataSource to(SourceSettings source, String user, String password) {
        return new SessionConnections(
                to(source.url(), user, password),
                dialect(source.url()).session(Use.COMMAND, source.schema(), LONGEST_STATEMENT));
    }

    private static Dialect dialect(String url) {
        return Dialects.of(url)
                .orElseThrow(() -> new IllegalArgumentException("No database of this kind is supported: " + url));
    }
}
