package io.outboxrelay.client;

import io.outboxrelay.client.TransactionWatch.Begun;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;
import org.springframework.jdbc.core.ConnectionCallback;
import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.jdbc.datasource.DelegatingDataSource;
import org.springframework.transaction.TransactionStatus;
import org.springframework.transaction.support.TransactionSynchronizationManager;
import org.springframework.transaction.support.TransactionSynchronizationUtils;

/**
 * The calling thread's Spring transaction on one DataSource, which has not begun to end. Everything here is written on
 * the connection that this transaction will commit or roll back, and on no other: so it is there if and only if the
 * transaction commits.
 */
final class CallersTransaction {

    private static final Pattern IDENTIFIER = Pattern.compile("[a-z_][a-z0-9_]{0,62}");

    /** Over the DataSource to which Spring has bound the transaction's connection. */
    private final JdbcTemplate jdbc;

    private CallersTransaction(DataSource bound) {
        this.jdbc = new JdbcTemplate(bound);
    }

    /**
     * Finds the transaction, whatever manager has begun it.
     *
     * @param dataSource the one that the transaction manager works on, or a Spring proxy over or under it
     * @throws IllegalStateException if the thread is in none that can be written in; says why and what to do
     */
    static CallersTransaction on(DataSource dataSource) {
        return among(TransactionWatch.ofThisThread(), dataSource);
    }

    /**
     * Finds the transaction that is just being begun or joined. Another one around it does not count.
     *
     * @param dataSource the one that the transaction manager works on, or a Spring proxy over or under it
     * @throws IllegalStateException if it is not on this DataSource or cannot be written in; says why and what to do
     */
    static CallersTransaction of(TransactionStatus joined, DataSource dataSource) {
        return among(
                TransactionWatch.ofThisThread().stream()
                        .filter(each -> each.includes(joined))
                        .toList(),
                dataSource);
    }

    private static CallersTransaction among(List<Begun> begun, DataSource dataSource) {
        for (int i = begun.size() - 1; i >= 0; i--) {
            Begun transaction = begun.get(i);
            DataSource bound = boundOf(transaction, dataSource);
            if (bound != null && !transaction.isEnding()) {
                if (transaction.isReadOnly()) {
                    throw refused("the transaction" + named(transaction) + " is read-only. Remove readOnly where"
                            + " events are published or consumed");
                }
                return new CallersTransaction(bound);
            }
        }
        throw refused(begun.isEmpty() ? whyWithoutKnown(dataSource) : whyNotIn(begun.get(begun.size() - 1)));
    }

    /** The DataSource under which this transaction's connection is bound to the thread, if it is the given one. */
    private static @Nullable DataSource boundOf(Begun transaction, DataSource dataSource) {
        for (Map.Entry<Object, Object> bound :
                TransactionSynchronizationManager.getResourceMap().entrySet()) {
            if (transaction.isOn(bound.getValue())
                    && bound.getKey() instanceof DataSource key
                    && areOne(key, dataSource)) {
                return key;
            }
        }
        return null;
    }

    /** Whether both lead to the same connections: one is a Spring proxy over the other, or both are over a third. */
    private static boolean areOne(DataSource bound, DataSource given) {
        List<Object> targets = withTargets(given);
        return withTargets(bound).stream().anyMatch(targets::contains);
    }

    private static List<Object> withTargets(DataSource dataSource) {
        List<Object> all = new ArrayList<>();
        Object next = TransactionSynchronizationUtils.unwrapResourceIfNecessary(dataSource);
        all.add(next);
        while (next instanceof DelegatingDataSource proxy && proxy.getTargetDataSource() != null) {
            next = TransactionSynchronizationUtils.unwrapResourceIfNecessary(proxy.getTargetDataSource());
            all.add(next);
        }
        return all;
    }

    private static String whyWithoutKnown(DataSource dataSource) {
        if (!TransactionSynchronizationManager.isActualTransactionActive()) {
            return "outbox and inbox use the transaction that changes the data, and the calling thread has none."
                    + " Annotate the calling method with @Transactional, or use a TransactionTemplate. A reactive"
                    + " transaction, or one of another thread, does not count";
        }
        boolean hasConnection = TransactionSynchronizationManager.getResourceMap().keySet().stream()
                .anyMatch(key -> key instanceof DataSource bound && areOne(bound, dataSource));
        return hasConnection
                ? "the active transaction was begun by a transaction manager that is not watched, or before it was."
                        + " Give the transaction manager of this DataSource to the constructor of Outbox or to"
                        + " Outbox.watch, before it begins transactions. One of JTA cannot be used"
                : belongsToAnother("");
    }

    private static String whyNotIn(Begun innermost) {
        if (innermost.isEnding()) {
            return "the call came after the transaction" + named(innermost) + " has completed, or while it was being"
                    + " committed or rolled back. Call earlier: where the data is changed, or in a"
                    + " @TransactionalEventListener(phase = TransactionPhase.BEFORE_COMMIT). To write in another"
                    + " transaction, begin it with REQUIRES_NEW; it is not part of the first";
        }
        if (innermost.isSuspended()) {
            return "the transaction" + named(innermost)
                    + " is suspended here, for example by NOT_SUPPORTED. Call outside of that method";
        }
        return belongsToAnother(named(innermost));
    }

    private static String belongsToAnother(String name) {
        return "the active transaction" + name + " does not include this DataSource, it belongs to another. Use the"
                + " transaction manager of the DataSource that has the outbox and inbox tables. A"
                + " JpaTransactionManager has to know the DataSource and the JpaDialect";
    }

    private static String named(Begun transaction) {
        return transaction.name().isEmpty() ? "" : " " + transaction.name();
    }

    private static IllegalStateException refused(String why) {
        return new IllegalStateException("Nothing was written: " + why);
    }

    /**
     * Runs statements in the transaction.
     *
     * @throws IllegalStateException if the connection commits every statement by itself
     * @throws org.springframework.dao.DataAccessException if the database refuses
     */
    <T> @Nullable T execute(ConnectionCallback<T> statements) {
        return jdbc.execute((ConnectionCallback<T>) connection -> {
            if (connection.getAutoCommit()) {
                throw refused("the transaction's connection is in auto-commit mode. Leave the mode to the transaction"
                        + " manager");
            }
            return statements.doInConnection(connection);
        });
    }

    static String requireIdentifier(String schema) {
        if (!IDENTIFIER.matcher(schema).matches()) {
            throw new IllegalArgumentException("\"" + schema + "\" cannot be the schema of the outbox: use lower-case"
                    + " letters, digits and underscores, at most 63, not beginning with a digit");
        }
        return schema;
    }
}
