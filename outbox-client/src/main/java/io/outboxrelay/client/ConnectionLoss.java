package io.outboxrelay.client;

import java.sql.SQLException;
import java.sql.SQLNonTransientConnectionException;
import java.sql.SQLRecoverableException;
import java.sql.SQLTransientConnectionException;
import org.jspecify.annotations.Nullable;
import org.springframework.jdbc.CannotGetJdbcConnectionException;
import org.springframework.transaction.CannotCreateTransactionException;
import org.springframework.transaction.TransactionSystemException;

/** Tells whether a failure says that a database connection was lost or could not be had. */
final class ConnectionLoss {

    /** More than any real chain of causes has; a chain may be a circle. */
    private static final int MAX_DEPTH = 50;

    private ConnectionLoss() {}

    static boolean isCauseOf(Throwable failure) {
        Throwable cause = failure;
        for (int depth = 0; cause != null && depth < MAX_DEPTH; depth++) {
            if (isOne(cause) || hidesOne(cause)) {
                return true;
            }
            cause = cause.getCause();
        }
        return false;
    }

    /** On a lost connection the rollback fails too, and its exception takes the place of the first one. */
    private static boolean hidesOne(Throwable cause) {
        return cause instanceof TransactionSystemException rollback
                && rollback.getApplicationException() != null
                && isCauseOf(rollback.getApplicationException());
    }

    private static boolean isOne(Throwable cause) {
        return cause instanceof CannotCreateTransactionException
                || cause instanceof CannotGetJdbcConnectionException
                || cause instanceof SQLTransientConnectionException
                || cause instanceof SQLNonTransientConnectionException
                || cause instanceof SQLRecoverableException
                || cause instanceof SQLException sql && (isOne(sql.getSQLState()) || isOne(sql.getErrorCode()));
    }

    /** https://mariadb.com/kb/en/mariadb-error-code-reference/: the server shuts down, the connection was killed. */
    private static boolean isOne(int mariaDbError) {
        return mariaDbError == 1053 || mariaDbError == 1927;
    }

    /** https://www.postgresql.org/docs/current/errcodes-appendix.html: connection exceptions, shutdown, crash, start. */
    private static boolean isOne(@Nullable String sqlState) {
        return sqlState != null && (sqlState.startsWith("08") || sqlState.startsWith("57P0"));
    }
}
