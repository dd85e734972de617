package io.outboxrelay.relay.database;

import java.sql.Connection;
import java.sql.SQLException;
import javax.sql.DataSource;
import org.springframework.jdbc.datasource.DelegatingDataSource;

/** Opens connections on which a {@link Session} has begun; one that is refused is closed. */
public final class SessionConnections extends DelegatingDataSource {

    private final DataSource driver;
    private final Session session;

    /**
     * @param driver opens the connections
     * @param session begins on each
     */
    public SessionConnections(DataSource driver, Session session) {
        super(driver);
        this.driver = driver;
        this.session = session;
    }

    @Override
    public Connection getConnection() throws SQLException {
        Connection fresh = super.getConnection();
        try {
            session.begin(fresh, driver);
            return fresh;
        } catch (SQLException e) {
            try {
                fresh.close();
            } catch (SQLException alsoFailed) {
                e.addSuppressed(alsoFailed);
            }
            throw e;
        }
    }
}
