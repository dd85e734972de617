package io.outboxrelay.relay.database;

import io.outboxrelay.relay.lane.Help;
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
 * Lets writers of PostgreSQL wake a sleeping relay. A lost call costs only time: the relay polls now and then anyway.
 * Used by one thread. Every method throws a {@link org.springframework.dao.DataAccessException} when the database does
 * not answer, and starts afresh with the next call.
 *
 * <p>It listens on a connection of its own. While the relay is awake, the connection holds an advisory lock, which the
 * trigger {@code outbox_wake} tries before it notifies. Of several relays that are awake, one holds it.
 */
public final class Wakeup implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(Wakeup.class);

    private final String schema;
    private final DataSource connections;
    private @Nullable Connection connection;
    private int outbox;
    private boolean awake;
    private volatile boolean outOfDate;

    Wakeup(String schema, DataSource connections) {
        this.schema = schema;
        this.connections = connections;
    }

    private interface Work<T> {
        T on(Connection connection) throws SQLException;
    }

    /** Reports that the relay is awake and polls by itself: writers need not call it. */
    public void awake() {
        closeIfOutOfDate();
        boolean held = awake;
        awake = with(listening -> {
            // Drops earlier calls, which would be kept, and notices a lost connection.
            listening.unwrap(PGConnection.class).getNotifications();
            // Refused while another relay is awake, or a transaction that has just notified is open.
            return held || ask(listening, "SELECT pg_try_advisory_lock(%d, 1)".formatted(outbox));
        });
    }

    /**
     * Reports that the relay sleeps.
     *
     * @return whether it did not report that before. Then an event may have been written just before without a call:
     *     poll once more
     */
    public boolean asleep() {
        closeIfOutOfDate();
        boolean beginning = connection == null;
        boolean was = awake;
        with(listening -> was && ask(listening, "SELECT pg_advisory_unlock(%d, 1)".formatted(outbox)));
        awake = false;
        return was || beginning;
    }

    /**
     * Waits for a call.
     *
     * @param atMost longest wait
     * @return whether there was one
     */
    public boolean await(Duration atMost) {
        return with(listening -> {
            PGNotification[] calls =
                    listening.unwrap(PGConnection.class).getNotifications((int) Math.max(1, atMost.toMillis()));
            return calls != null && calls.length > 0;
        });
    }

    /** Makes the next method use a new connection. Any thread may call it. */
    public void renew() {
        outOfDate = true;
    }

    private void closeIfOutOfDate() {
        if (outOfDate) {
            outOfDate = false;
            close();
        }
    }

    /** Closes the connection. */
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
            throw new DataAccessResourceFailureException(
                    "Cannot listen for notifications: " + DatabaseMessage.of(e), e);
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
                        Help.WAKEUP_OFF,
                        "wakeup: notify is configured, but notifications are off. The owner of the tables has to run:"
                                + " SELECT {}.outbox_wakeup(true). Until then the relay polls every poll.max",
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

    /** Not returned to a pool, since it has a lock and a subscription. */
    private void abandon(Connection broken) {
        connection = null;
        awake = false;
        try {
            broken.abort(Runnable::run);
            broken.close();
        } catch (SQLException e) {
            LOG.debug("The connection was closed already", e);
        }
    }
}
