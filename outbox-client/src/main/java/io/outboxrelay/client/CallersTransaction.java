package io.outboxrelay.client;

import java.sql.Connection;
import java.sql.SQLException;
import java.util.regex.Pattern;
import org.springframework.transaction.support.TransactionSynchronizationManager;

/** The Spring transaction of the calling thread: what must hold before a row may be written in it. */
final class CallersTransaction {

    private static final Pattern IDENTIFIER = Pattern.compile("[a-z_][a-z0-9_]{0,62}");

    private CallersTransaction() {}

    static void requireActive() {
        if (!TransactionSynchronizationManager.isActualTransactionActive()) {
            throw new IllegalStateException(
                    "An event must be published in the transaction that changes the data, but there"
                            + " is none: annotate the calling method with @Transactional, or use a TransactionTemplate");
        }
    }

    /** Finds out that the active transaction is another data source's: what is written here would not be part of it. */
    static void requireJoinedBy(Connection connection) throws SQLException {
        if (connection.getAutoCommit()) {
            throw new IllegalStateException(
                    "The active transaction does not include this data source, which would commit by"
                            + " itself: use the transaction manager of the data source that has the outbox and inbox tables");
        }
    }

    static String requireIdentifier(String schema) {
        if (!IDENTIFIER.matcher(schema).matches()) {
            throw new IllegalArgumentException("\"" + schema + "\" cannot be the schema of the outbox: use lower-case"
                    + " letters, digits and underscores, at most 63, not beginning with a digit");
        }
        return schema;
    }
}
