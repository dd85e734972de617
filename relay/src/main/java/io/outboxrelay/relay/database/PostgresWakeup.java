package io.outboxrelay.relay.database;

import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;
import org.postgresql.PGConnection;
import org.postgresql.PGNotification;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.dao.DataAccessResourceFailureException;

/**
 * Listens on a connection of its own. While the relay is awake the connection holds an advisory lock, which the trigger
 * {@code outbox_wake} tries before it notifies; of several relays that are awake one holds it.
 */
final class PostgresWakeup implements Wakeup {

    private static final Logger LOG = LoggerFactory.getLogger(PostgresWakeup.class);

    private final String schema;
    private final DataSource connections;
    private @Nullable Connection connection;
    private int outbox;
    private boolean awake;
    private volatile boolean outOfDate;

    PostgresWakeup(String schema, DataSource connections) {
        this.schema = schema;
        this.connections = connections;
    }

    private interface Work<T> {
        T on(Connection connection) throws SQLException;
    }

    @Override
    public void awake() {
        closeIfOutOfDate();
        boolean held = awake;
        awake = with(listening -> {
            // Calls that came before are of no use, and would be kept; it also tells whether the connection is still
            // there.
            listening.unwrap(PGConnection.class).getNotifications();
            // Refused while a transaction that has just notified is open, or another relay is awake.
            return held || ask(listening, "SELECT pg_try_advisory_lock(%d, 1)".formatted(outbox));
        });
    }

    @Override
    public boolean asleep() {
        closeIfOutOfDate();
        boolean beginning = connection == null;
        boolean was = awake;
        with(listening -> was && ask(listening, "SELECT pg_advisory_unlock(%d, 1)".formatted(outbox)));
        awake = false;
        return was || beginning;
    }

    @Override
    public boolean await(Duration atMost) {
        return with(listening -> {
            PGNotification[] calls =
                    listening.unwrap(PGConnection.class).getNotifications((int) Math.max(1, atMost.toMillis()));
            return calls != null && calls.length > 0;
        });
    }

    @Override
    public void renew() {
        outOfDate = true;
    }

    private void closeIfOutOfDate() {
        if (outOfDate) {
            outOfDate = false;
            close();
        }
    }

    @Override
    public void close() {
        if (connection != null) {
            abandon(connection);
        }
    }

    private <T> T with(Work<T> work) {
        try {
            Connection listening = connection == null ? listen() : connection;
            connection = listening;
            return work.on(listening);
        } catch (SQLException e) {
            close();
            throw new DataAccessResourceFailureException("Cannot listen for calls: " + DatabaseMessage.of(e), e);
        }
    }

    private Connection listen() throws SQLException {
        Connection fresh = connections.getConnection();
        try (Statement statement = fresh.createStatement();
                ResultSet row = statement.executeQuery("""
                    SELECT c.oid::int AS number, 'outbox_' || c.oid AS channel, t.tgenabled <> 'D' AS enabled
                    FROM pg_class c JOIN pg_trigger t ON t.tgrelid = c.oid AND t.tgname = 'outbox_wake'
                    WHERE c.oid = 'SCHEMA.outbox'::regclass
                    """.replace("SCHEMA", schema))) {
            row.next();
            outbox = row.getInt("number");
            String channel = row.getString("channel");
            if (!row.getBoolean("enabled")) {
                LOG.warn(
                        "wakeup: notify is configured, but nobody calls: the owner of the tables must SELECT"
                                + " {}.outbox_wakeup(true). Until then events are found every poll.max",
                        schema);
            }
            statement.execute("LISTEN " + channel);
            return fresh;
        } catch (SQLException e) {
            abandon(fresh);
            throw e;
        }
    }

    private static boolean ask(Connection connection, String question) throws SQLException {
        try (Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery(question)) {
            return row.next() && row.getBoolean(1);
        }
    }

    /** It goes back to nobody: a lock and a subscription are on it. */
    private void abandon(Connection broken) {
        connection = null;
        awake = false;
        try {
            broken.abort(Runnable::run);
            broken.close();
        } catch (SQLException e) {
            LOG.debug("Closing a connection found it closed", e);
        }
    }
}
