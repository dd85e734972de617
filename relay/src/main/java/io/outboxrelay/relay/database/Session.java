package io.outboxrelay.relay.database;

import java.sql.Connection;
import java.sql.SQLException;
import java.sql.SQLTransientConnectionException;
import javax.sql.DataSource;

/**
 * Prepares new connections, and says which errors end them. Nothing that the relay relies on is left to the defaults of
 * a server, a database, a role or a user: it is set on every new connection, or the connection is refused. Any thread
 * calls it.
 */
public interface Session {

    /** What a connection is used for. */
    enum Use {
        /** Claiming and settling. */
        LANE,
        /** Leases, gauges and other background tasks. */
        HOUSEKEEPING,
        /** Commands. They may use a server that cannot write. */
        COMMAND
    }

    /**
     * Prepares a new connection.
     *
     * @param fresh an unused connection
     * @param others opens another connection to the same address
     * @throws SQLException when it cannot be used, in words for a person: the server cannot write, or sessions are
     *     shared with others
     */
    void begin(Connection fresh, DataSource others) throws SQLException;

    /**
     * Returns what an error means for its connection.
     *
     * @param error of a statement
     * @return what to do
     */
    Verdict verdict(SQLException error);

    /** What to do with connections after an error. */
    enum Verdict {
        /** Keep the connection. */
        KEEP,
        /** Close the connection: its session is out of date or has ended, and a new one may work. */
        RENEW,
        /** Close all connections and resolve the address again: the server cannot write or is going away. */
        LEAVE
    }

    /**
     * Makes the refusal of a connection whose server cannot write.
     *
     * @param why in the server's terms
     * @return to be thrown by {@link #begin}
     */
    static SQLException readOnly(String why) {
        return new SQLTransientConnectionException(
                "the server is read-only (" + why
                        + "); its address is resolved again until it leads to one that can write",
                "25006");
    }
}
