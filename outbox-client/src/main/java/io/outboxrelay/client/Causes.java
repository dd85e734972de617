package io.outboxrelay.client;

import java.sql.SQLException;
import java.sql.SQLNonTransientConnectionException;
import java.sql.SQLRecoverableException;
import java.sql.SQLTransientConnectionException;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Set;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import org.springframework.core.NestedExceptionUtils;
import org.springframework.dao.ConcurrencyFailureException;
import org.springframework.dao.TransientDataAccessException;
import org.springframework.jdbc.CannotGetJdbcConnectionException;
import org.springframework.transaction.CannotCreateTransactionException;
import org.springframework.transaction.TransactionSystemException;

/** What a database's failure says about itself, wherever in the chain of causes it says so. */
final class Causes {

    /** More than any real failure has; a chain may be a circle. */
    private static final int MOST = 100;

    /**
     * Serialization failure (with MariaDB's and MySQL's deadlock), deadlock, lock not available:
     * https://www.postgresql.org/docs/current/errcodes-appendix.html
     */
    private static final Set<String> CONTENTION_STATES = Set.of("40001", "40P01", "55P03");

    /**
     * A row that changed since the snapshot (MariaDB since 11.6), lock wait timeout, deadlock, NOWAIT on MySQL:
     * https://mariadb.com/kb/en/mariadb-error-code-reference/ and
     * https://dev.mysql.com/doc/mysql-errors/8.4/en/server-error-reference.html
     */
    private static final Set<Integer> CONTENTION_CODES = Set.of(1020, 1205, 1213, 3572);

    /** The server shuts down, the connection was killed: https://mariadb.com/kb/en/mariadb-error-code-reference/ */
    private static final Set<Integer> LOSS_CODES = Set.of(1053, 1927);

    /** Class of states on every database: https://www.postgresql.org/docs/current/errcodes-appendix.html */
    private static final String DATA_EXCEPTION = "22";

    private Causes() {}

    /** Whether others needed the same rows or locks at the same time: a deadlock, a lock timeout, a stale version. */
    static boolean sayContention(Throwable failure) {
        return any(failure, Causes::isContention);
    }

    /** Whether a database connection was lost or could not be had. */
    static boolean sayConnectionLoss(Throwable failure) {
        return any(failure, Causes::isConnectionLoss);
    }

    /** Whether what the handler needs is away for a while, by Spring's exceptions or by what the user says. */
    static boolean sayTransient(Throwable failure, Predicate<Throwable> transientToo) {
        return any(failure, cause -> cause instanceof TransientDataAccessException || transientToo.test(cause));
    }

    /** The outermost exception says what failed, the innermost why. */
    static String inWords(Throwable failure) {
        Throwable innermost = NestedExceptionUtils.getMostSpecificCause(failure);
        return innermost == failure ? failure.toString() : failure + ": " + innermost.getMessage();
    }

    /** Whether the handler says that no retry can help. */
    static boolean sayRejection(Throwable failure) {
        return any(failure, EventRejectedException.class::isInstance);
    }

    /** Whether the inbox's statements failed because of the event: of its data, or because it could not be stored. */
    static boolean sayRefusal(Throwable failure) {
        return any(
                failure,
                cause -> cause instanceof NotStoredException
                        || cause instanceof SQLException sql
                                && sql.getSQLState() != null
                                && sql.getSQLState().startsWith(DATA_EXCEPTION));
    }

    private static boolean any(Throwable failure, Predicate<Throwable> condition) {
        Deque<Throwable> open = new ArrayDeque<>();
        open.add(failure);
        for (int seen = 0; !open.isEmpty() && seen < MOST; seen++) {
            Throwable next = open.remove();
            if (condition.test(next)) {
                return true;
            }
            addIfAny(open, next.getCause());
            if (next instanceof TransactionSystemException rollback) {
                // On a lost connection the rollback fails too, and its exception takes the place of the first one.
                addIfAny(open, rollback.getApplicationException());
            }
            if (next instanceof SQLException sql) {
                // A batch keeps its reasons here.
                addIfAny(open, sql.getNextException());
            }
        }
        return false;
    }

    private static void addIfAny(Deque<Throwable> open, @Nullable Throwable more) {
        if (more != null) {
            open.add(more);
        }
    }

    private static boolean isContention(Throwable cause) {
        return cause instanceof ConcurrencyFailureException
                || cause instanceof SQLException sql
                        && (CONTENTION_CODES.contains(sql.getErrorCode())
                                || sql.getSQLState() != null && CONTENTION_STATES.contains(sql.getSQLState()));
    }

    private static boolean isConnectionLoss(Throwable cause) {
        return cause instanceof CannotCreateTransactionException
                || cause instanceof CannotGetJdbcConnectionException
                || cause instanceof SQLTransientConnectionException
                || cause instanceof SQLNonTransientConnectionException
                || cause instanceof SQLRecoverableException
                || cause instanceof SQLException sql
                        && (LOSS_CODES.contains(sql.getErrorCode()) || isConnectionLoss(sql.getSQLState()));
    }

    /**
     * https://www.postgresql.org/docs/current/errcodes-appendix.html: connection exceptions, shutdown, crash, start.
     */
    private static boolean isConnectionLoss(@Nullable String sqlState) {
        return sqlState != null && (sqlState.startsWith("08") || sqlState.startsWith("57P0"));
    }
}
