package io.outboxrelay.relay.database;

import io.outboxrelay.relay.database.Dialect.Access;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.SQLTransientConnectionException;
import java.sql.Statement;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.atomic.AtomicBoolean;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;
import org.postgresql.PGConnection;

/**
 * Prepares the sessions of PostgreSQL. Most of what it sets may have another default for a database or a role.
 *
 * <p>{@code default_transaction_read_only} stays as it is: it protects a demoted server from writes.
 */
final class PostgresSession implements Session {

    /**
     * For every session. Names without a schema are those of {@code pg_catalog}; rows that a policy would hide are an
     * error; an idle transaction ends soon. What the driver or a statement reads as text has one form.
     */
    private static final String ANY = """
        SET search_path = pg_catalog, pg_temp; SET row_security = off;
        SET default_transaction_isolation = 'read committed'; SET default_transaction_deferrable = off;
        SET idle_in_transaction_session_timeout = '5s';
        SET TimeZone = 'UTC'; SET DateStyle = 'ISO, YMD'; SET IntervalStyle = 'postgres'; SET bytea_output = 'hex';
        SET extra_float_digits = 1; SET standard_conforming_strings = on; SET array_nulls = on;
        SET transform_null_equals = off; SET client_min_messages = 'warning'; SET jit = off;
        SELECT set_config(name, '0', false) FROM pg_settings
        WHERE name IN ('idle_session_timeout', 'transaction_timeout');
        """;

    /**
     * For lanes. The plan is forced to the index of lane and position: right after a burst the statistics still
     * describe an empty table, and the planner would choose to sort all its rows. It is made once for each session: the
     * planner prefers to make one for each execution, because it knows the length of an array then; that takes longer
     * than the rest of a look for events. The commit of a settled row does not wait for the disk. If the row comes back
     * in a crash, its event is published again under the same id. A transaction that moves failures turns the waiting
     * on.
     */
    static final String LANE = """
        SET enable_seqscan = off; SET enable_bitmapscan = off; SET enable_sort = off; SET enable_indexscan = on;
        SET enable_nestloop = on; SET plan_cache_mode = force_generic_plan; SET synchronous_commit = off
        """;

    /** If a crash undid a new epoch, two owners could have the same one. */
    private static final String OTHER = "SET synchronous_commit = on";

    /**
     * Read-only; shutting down, crashed, starting up, dropped.
     * https://www.postgresql.org/docs/current/errcodes-appendix.html
     */
    private static final Set<String> GOES_AWAY = Set.of("25006", "57P01", "57P02", "57P03", "57P04");
    /** The session was idle for too long, in a transaction or outside. */
    private static final Set<String> OVER = Set.of("57P05", "25P03", "25P04");

    private static final String CONNECTION = "08";

    private final Use use;
    private final String settings;
    private final AtomicBoolean alone = new AtomicBoolean();

    /**
     * @param use what the connection is for
     * @param statementTimeout longest time of a statement
     */
    PostgresSession(Use use, Duration statementTimeout) {
        this.use = use;
        this.settings = ANY + timeout(statementTimeout) + (use == Use.LANE ? LANE : OTHER);
    }

    /** The limit for locks is a little shorter, so that the server's error names the lock. */
    private static String timeout(Duration statementTimeout) {
        long millis = statementTimeout.toMillis();
        return "SET statement_timeout = " + millis + "; SET lock_timeout = " + (millis - millis / 5) + "; ";
    }

    /** See {@link Dialect#access}. */
    static Access access(String url, String application, Duration connecting, @Nullable Duration statementTimeout) {
        Map<String, String> properties = new HashMap<>();
        properties.put("ApplicationName", application);
        // DETAIL quotes rows with their payload, and would be part of every exception's message. DatabaseMessage adds
        // what may be shown.
        properties.put("logServerErrorDetail", "false");
        properties.put("connectTimeout", String.valueOf(Math.max(1, connecting.toSeconds())));
        if (statementTimeout != null) {
            properties.put("tcpKeepAlive", "true");
            properties.put(
                    "socketTimeout",
                    String.valueOf(statementTimeout.plus(Dialect.SILENCE).toSeconds()));
        }
        return new Access(url, properties);
    }

    @Override
    public void begin(Connection fresh, DataSource others) throws SQLException {
        refuseSharedSessions(fresh, others);
        try (Statement statement = fresh.createStatement()) {
            if (use != Use.COMMAND) {
                refuseReadOnly(statement);
            }
            statement.execute(settings);
        }
    }

    private static void refuseReadOnly(Statement statement) throws SQLException {
        try (ResultSet row = statement.executeQuery(
                "SELECT pg_catalog.pg_is_in_recovery(), pg_catalog.current_setting('transaction_read_only')")) {
            row.next();
            if (row.getBoolean(1)) {
                throw Session.readOnly("it is a standby");
            }
            if (row.getString(2).equals("on")) {
                throw Session.readOnly("default_transaction_read_only is on for the server, the database or the user");
            }
        }
    }

    /**
     * Refuses a pooler that gives a session to each transaction: the next client would inherit what is set here. Behind
     * any pooler the process that answers is not the one that the driver was told. If the pooler shares sessions, a
     * second connection gets the session that has just answered, or the same connection gets another one the second or
     * third time. The second connection is opened only for the first connection of a pool, since such a pooler may have
     * none to spare later.
     */
    private void refuseSharedSessions(Connection fresh, DataSource others) throws SQLException {
        int process = process(fresh);
        if (process == fresh.unwrap(PGConnection.class).getBackendPID()) {
            return;
        }
        if (!alone.get()) {
            try (Connection other = others.getConnection()) {
                refuseShared(process(other) == process);
            }
        }
        refuseShared(process(fresh) != process || process(fresh) != process);
        alone.set(true);
    }

    private static void refuseShared(boolean shared) throws SQLException {
        if (shared) {
            throw new SQLTransientConnectionException("there is a connection pooler in front of PostgreSQL that shares"
                    + " sessions between its clients, such as PgBouncer with pool_mode = transaction: what the relay"
                    + " sets in a session would apply to others; connect directly, or use pool_mode = session");
        }
    }

    private static int process(Connection connection) throws SQLException {
        try (Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery("SELECT pg_catalog.pg_backend_pid()")) {
            row.next();
            return row.getInt(1);
        }
    }

    @Override
    public Verdict verdict(SQLException error) {
        String state = String.valueOf(error.getSQLState());
        return state.startsWith(CONNECTION) || GOES_AWAY.contains(state)
                ? Verdict.LEAVE
                : OVER.contains(state) ? Verdict.RENEW : Verdict.KEEP;
    }
}
