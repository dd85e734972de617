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
 * <p>It listens on a connection of its own. While the relay sleeps, the connection holds an advisory lock, which the
 * trigger {@code outbox_wake} tries: it notifies if somebody has it. Of several relays that sleep, one has it; when
 * that one is called, all are.
 */
public final class Wakeup implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(Wakeup.class);

    private static final String ENABLED =
            "SELECT tgenabled <> 'D' FROM pg_trigger WHERE tgrelid = %d AND tgname = 'outbox_wake'";

    private final String schema;
    private final DataSource connections;
    private @Nullable Connection connection;
    private int outbox;
    private boolean asleep;
    private boolean enabled = true;
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
        if (connection == null) {
            return;
        }
        with(listening -> {
            dropCalls(listening);
            return asleep && ask(listening, "SELECT pg_advisory_unlock(%d, 1)".formatted(outbox));
        });
        asleep = false;
    }

    /**
     * Reports that the relay sleeps, and finds out whether writers call it.
     *
     * @return whether it did not report that before. Then an event may have been written just before without a call:
     *     poll once more
     */
    public boolean asleep() {
        closeIfOutOfDate();
        return with(listening -> {
            boolean before = asleep;
            if (!before) {
                dropCalls(listening);
                // Refused while another relay has the lock, or a writer tries it at that moment.
                asleep = ask(listening, "SELECT pg_try_advisory_lock(%d, 1)".formatted(outbox));
            }
            look(ask(listening, ENABLED.formatted(outbox)));
            return asleep && !before;
        });
    }

    /** Calls to a relay that is awake. They would be kept; unread, they would keep those of the whole server. */
    private static void dropCalls(Connection listening) throws SQLException {
        listening.unwrap(PGConnection.class).getNotifications();
    }

    private void look(boolean nowEnabled) {
        if (enabled && !nowEnabled) {
            LOG.warn(
                    Help.WAKEUP_OFF,
                    "wakeup: notify is configured, but notifications are off. The owner of the tables has to run:"
                            + " SELECT {}.outbox_wakeup(true). Until then the relay polls every poll.max",
                    schema);
        }
        enabled = nowEnabled;
    }

    /**
     * Whether writers call for sure, as {@link #asleep} has found it. They do not while the trigger is off. While
     * another relay has the lock, they call this one, too, but it may wake or die at any moment.
     */
    public boolean isCalled() {
        return asleep && enabled;
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
                ResultSet row = statement.executeQuery("SELECT '%s.outbox'::regclass::oid::int".formatted(schema))) {
            row.next();
            outbox = row.getInt(1);
            statement.execute("LISTEN outbox_" + Integer.toUnsignedString(outbox));
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
        asleep = false;
        try {
            broken.abort(Runnable::run);
            broken.close();
        } catch (SQLException e) {
            LOG.debug("The connection was closed already", e);
        }
    }
}
