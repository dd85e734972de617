package io.outboxrelay.relay.database;

import io.outboxrelay.relay.database.CommandActs.Trouble;
import io.outboxrelay.relay.database.Failures.UnavailableException;
import io.outboxrelay.schema.OutboxSchema;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.Objects;
import java.util.OptionalInt;
import java.util.function.Supplier;
import javax.sql.DataSource;
import org.springframework.dao.DataAccessException;
import org.springframework.jdbc.support.JdbcTransactionManager;
import org.springframework.transaction.TransactionDefinition;
import org.springframework.transaction.TransactionException;
import org.springframework.transaction.support.TransactionTemplate;

/**
 * The transactions of a command in one database. Each is limited in time, and a change that the database ends as a
 * deadlock is tried again. Errors are {@link UnavailableException}s.
 */
final class CommandTransactions {

    private static final int MOST_DEADLOCKS = 5;

    private final String schema;
    private final DataSource connections;
    private final CommandActs sql;
    private final TransactionTemplate change;
    private final TransactionTemplate snapshot;

    /**
     * @param schema database schema of the tables
     * @param connections each transaction takes one
     * @param sql limits transactions, and classifies errors
     */
    CommandTransactions(String schema, DataSource connections, CommandActs sql) {
        this.schema = schema;
        this.connections = connections;
        this.sql = sql;
        this.change = new TransactionTemplate(new JdbcTransactionManager(connections));
        this.change.setIsolationLevel(TransactionDefinition.ISOLATION_READ_COMMITTED);
        this.snapshot = new TransactionTemplate(new JdbcTransactionManager(connections));
        this.snapshot.setIsolationLevel(TransactionDefinition.ISOLATION_REPEATABLE_READ);
        this.snapshot.setReadOnly(true);
    }

    /**
     * Checks that the tables are installed and new enough.
     *
     * @param what outbox or inbox, for the message
     * @param needed the oldest version that will do
     */
    void requireVersion(String what, int needed) {
        OptionalInt version;
        try (Connection connection = connections.getConnection()) {
            version = OutboxSchema.defaults().withSchema(schema).version(connection);
        } catch (SQLException e) {
            throw new UnavailableException("The database does not answer: " + DatabaseMessage.of(e), e);
        }
        if (version.isEmpty()) {
            throw new UnavailableException(
                    "There is no %s in the schema %s. Install it with the command migrate.".formatted(what, schema),
                    null);
        }
        if (version.getAsInt() < needed) {
            throw new UnavailableException(
                    "The %s has version %d, this command needs %d. Upgrade it with the command migrate."
                            .formatted(what, version.getAsInt(), needed),
                    null);
        }
    }

    /** Reads at one instant. */
    <T> T read(Supplier<T> work) {
        return in(snapshot, work);
    }

    /**
     * Changes something. Others may lock the same rows in another order: the database then ends one of the two, which
     * tries again.
     */
    <T> T change(Supplier<T> work) {
        for (int deadlocks = 0; ; deadlocks++) {
            try {
                return in(change, work);
            } catch (UnavailableException e) {
                if (trouble(e, sql) != Trouble.DEADLOCK || deadlocks == MOST_DEADLOCKS) {
                    throw e;
                }
            }
        }
    }

    private <T> T in(TransactionTemplate transaction, Supplier<T> work) {
        return asked(
                sql,
                () -> Objects.requireNonNull(transaction.execute(status -> {
                    sql.limit();
                    return work.get();
                })));
    }

    /** Makes an error of the database a sentence for a person. */
    static <T> T asked(CommandActs sql, Supplier<T> question) {
        try {
            return question.get();
        } catch (DataAccessException | TransactionException e) {
            throw unavailable(e, sql);
        }
    }

    private static UnavailableException unavailable(RuntimeException e, CommandActs sql) {
        String cause = DatabaseMessage.of(e);
        return new UnavailableException(
                switch (trouble(e, sql)) {
                    case NO_RIGHT ->
                        "The database user may not do this (%s). Use one with the role outbox_admin: --user and "
                                        .formatted(cause)
                                + "--password-file.";
                    case TOO_LONG ->
                        ("The command took too long (%s): the database is busy, or others are working on the same"
                                        + " events. Rows changed so far stay changed; run the command again.")
                                .formatted(cause);
                    default -> "The database failed: " + cause;
                },
                e);
    }

    /** By the database's own error. What lies behind it, such as a socket's error, says less. */
    static Trouble trouble(Throwable failure, CommandActs sql) {
        Throwable cause = failure;
        while (!(cause instanceof SQLException) && cause.getCause() != null) {
            cause = cause.getCause();
        }
        return cause instanceof SQLException said ? sql.trouble(said) : Trouble.OTHER;
    }
}
