package io.outboxrelay.relay.operations;

import java.util.Properties;
import javax.sql.DataSource;
import org.springframework.jdbc.datasource.DriverManagerDataSource;

/** A data source for a command that asks a database once: a new connection for each call, no pool. */
public final class DirectConnections {

    private static final String CONNECT_TIMEOUT_SECONDS = "10";

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
        Properties properties = new Properties();
        properties.setProperty("connectTimeout", CONNECT_TIMEOUT_SECONDS);
        properties.setProperty("ApplicationName", "outbox-relay");
        DriverManagerDataSource source = new DriverManagerDataSource(url, user, password);
        source.setConnectionProperties(properties);
        return source;
    }
}
