package io.outboxrelay.relay.database;

import java.sql.Connection;
import java.sql.SQLException;
import java.sql.SQLTransientConnectionException;
import javax.sql.DataSource;

/**
 * A session of a database: what has to hold in it, and which errors say that it will not do any longer. Nothing that the relay
 * relies on is left to the defaults of a server, a database, a role or a user: it is set when the connection is new, or the
 * connection is refused. Holds no more than what it has learned about the way to the server. Any thread calls it.
 */
public interface Session {

    /** What a connection is used for. */
    enum Use {
        /** Claiming and settling. */
        LANE,
        /** Leases, gauges and the like. */
        HOUSEKEEPING,
        /** What people ask and change. It may ask a server that cannot write. */
        COMMAND
    }

    /**
     * Makes a new connection fit for its use.
     *
     * @param fresh nothing has been asked on it yet
     * @param others opens another connection to the same address
     * @throws SQLException when it cannot be used, in words for a person: the server cannot write, or sessions are shared with
     *     others
     */
    void begin(Connection fresh, DataSource others) throws SQLException;

    /**
     * Says what an error means for the connection that it came from.
     *
     * @param error of a statement
     * @return what follows
     */
    Verdict verdict(SQLException error);

    /** What follows from an error. */
    enum Verdict {
        /** The connection is as good as before. */
        KEEP,
        /** The session is out of date or over: the connection is closed, and another session may do better. */
        RENEW,
        /** The server cannot write or goes away: all connections are closed, and the address is asked anew. */
        LEAVE
    }

    /**
     * The refusal of a connection whose server cannot write.
     *
     * @param why what the server says of itself
     * @return to be thrown by {@link #begin}
     */
    static SQLException readOnly(String why) {
        return new SQLTransientConnectionException(
                "the server is read-only (" + why
                        + "); its address is resolved again until it leads to one that can write",
                "25006");
    }
}
