package io.outboxrelay.relay.database;

import io.outboxrelay.relay.database.Dialect.Access;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Prepares the sessions of MariaDB and MySQL, whose defaults are global variables of the server.
 *
 * <p>A server's or a session's {@code read_only} stays as it is: it protects a demoted server from writes.
 */
final class MariaDbSession implements Session {

    private static final Logger LOG = LoggerFactory.getLogger(MariaDbSession.class);

    /** Too long values are an error, but any date is accepted: a row to be moved may have one of all zeros. */
    private static final String SQL_MODE = "STRICT_ALL_TABLES,ALLOW_INVALID_DATES,NO_ENGINE_SUBSTITUTION";

    /** A relay that hangs in a transaction holds its lane's row: it soon loses the transaction. */
    private static final int IDLE_IN_TRANSACTION_SECONDS = 5;

    /** MySQL limits idle sessions only as a whole. The relay's pools use idle connections more often. */
    static final int IDLE_SECONDS = 60;

    private static final int OPTION_PREVENTS = 1290;
    /**
     * Shutting down; a read-only transaction, a read-only mode. https://mariadb.com/kb/en/mariadb-error-code-reference/
     */
    private static final Set<Integer> GOES_AWAY = Set.of(1053, 1792, 1836);
    /**
     * No right to a database, table, column, operation or routine: a session keeps the rights of its role from when it
     * began. The format of the binary log, which a session keeps too. The session was killed.
     */
    private static final Set<Integer> OUT_OF_DATE = Set.of(1044, 1142, 1143, 1227, 1370, 1665, 1927);

    private static final String CONNECTION = "08";

    private final Use use;
    private final String schema;
    private final boolean mySql;
    private final List<String> settings;

    /**
     * @param use what the connection is for
     * @param schema database of the outbox; {@code public} for the one that the connections are in
     * @param statementTimeout longest time of a statement, in MySQL of a SELECT
     * @param mySql whether it is MySQL
     */
    MariaDbSession(Use use, String schema, Duration statementTimeout, boolean mySql) {
        this.use = use;
        this.schema = schema;
        this.mySql = mySql;
        this.settings = List.of(
                "SET NAMES utf8mb4 COLLATE utf8mb4_bin",
                "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED",
                variables(statementTimeout, mySql));
    }

    /**
     * UTC, strict values, and a limit for every statement (in MySQL for every SELECT); the limit for locks is a little
     * shorter. MariaDB would convert a list of a thousand values into a subquery.
     */
    private static String variables(Duration statementTimeout, boolean mySql) {
        long millis = statementTimeout.toMillis();
        long lockSeconds = Math.max(1, (millis - millis / 5) / 1_000);
        return "SET autocommit = 1, completion_type = 'NO_CHAIN', time_zone = '+00:00', sql_mode = '" + SQL_MODE
                + "', sql_select_limit = 18446744073709551615, sql_safe_updates = 0, sql_big_selects = 1,"
                + " sql_auto_is_null = 0, foreign_key_checks = 1, unique_checks = 1, wait_timeout = " + IDLE_SECONDS
                + ", innodb_lock_wait_timeout = " + lockSeconds + ", lock_wait_timeout = " + lockSeconds
                + (mySql
                        ? ", max_execution_time = " + millis
                        : ", check_constraint_checks = 1, max_statement_time = " + millis / 1_000.0
                                + ", in_predicate_conversion_threshold = 0, idle_transaction_timeout = "
                                + IDLE_IN_TRANSACTION_SECONDS);
    }

    /** See {@link Dialect#access}. */
    static Access access(String url, String application, Duration connecting, @Nullable Duration statementTimeout) {
        Map<String, String> properties = new HashMap<>();
        properties.put("connectionAttributes", "program_name:" + application);
        properties.put("connectTimeout", String.valueOf(Math.max(1, connecting.toSeconds()) * 1_000));
        properties.put("allowLocalInfile", "false");
        properties.put("tcpKeepAlive", "true");
        if (statementTimeout != null) {
            properties.put(
                    "socketTimeout",
                    String.valueOf(statementTimeout.plus(Dialect.SILENCE).toMillis()));
        }
        return new Access(url.replaceFirst("^jdbc:mysql:", "jdbc:mariadb:"), properties);
    }

    @Override
    public void begin(Connection fresh, DataSource others) throws SQLException {
        try (Statement statement = fresh.createStatement()) {
            if (use != Use.COMMAND) {
                refuseReadOnly(statement);
            }
            for (String setting : settings) {
                statement.execute(setting);
            }
            takeRole(fresh, statement);
        }
    }

    private void refuseReadOnly(Statement statement) throws SQLException {
        refuseIfOn(statement, "@@global.read_only", "read_only is on");
        refuseIfOn(statement, "@@global.innodb_read_only", "innodb_read_only is on");
        String ofSession = mySql ? "transaction_read_only" : "tx_read_only";
        refuseIfOn(statement, "@@session." + ofSession, ofSession + " is on");
    }

    private static void refuseIfOn(Statement statement, String variable, String why) throws SQLException {
        if (!Set.of("0", "OFF").contains(text(statement, "SELECT " + variable))) {
            throw Session.readOnly(why);
        }
    }

    /**
     * Activates the role of this outbox. MariaDB activates one role by default, which may be that of another outbox;
     * MySQL can activate all granted roles. If the role is not granted, the user may have the rights itself or by an
     * active role.
     */
    private void takeRole(Connection connection, Statement statement) throws SQLException {
        if (mySql) {
            statement.execute("SET ROLE ALL");
            return;
        }
        String database = schema.equals("public") ? connection.getCatalog() : schema;
        List<String> wanted = use == Use.COMMAND ? List.of("_outbox_admin", "_outbox_relay") : List.of("_outbox_relay");
        for (String role : wanted) {
            if (has(connection, database + role) || hasTaken(statement, database + role)) {
                return;
            }
        }
    }

    private static boolean has(Connection connection, String role) throws SQLException {
        try (PreparedStatement question =
                connection.prepareStatement("SELECT 1 FROM information_schema.enabled_roles WHERE role_name = ?")) {
            question.setString(1, role);
            try (ResultSet row = question.executeQuery()) {
                return row.next();
            }
        }
    }

    private static boolean hasTaken(Statement statement, String role) {
        try {
            statement.execute("SET ROLE `" + role.replace("`", "``") + "`");
            return true;
        } catch (SQLException e) {
            LOG.debug("The role {} is not granted", role, e);
            return false;
        }
    }

    private static String text(Statement statement, String question) throws SQLException {
        try (ResultSet row = statement.executeQuery(question)) {
            row.next();
            return row.getString(1);
        }
    }

    @Override
    public Verdict verdict(SQLException error) {
        int code = error.getErrorCode();
        boolean readOnly = code == OPTION_PREVENTS
                && String.valueOf(error.getMessage()).replace('_', '-').contains("read-only");
        return readOnly
                        || GOES_AWAY.contains(code)
                        || String.valueOf(error.getSQLState()).startsWith(CONNECTION)
                ? Verdict.LEAVE
                : OUT_OF_DATE.contains(code) ? Verdict.RENEW : Verdict.KEEP;
    }
}
