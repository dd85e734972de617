package io.outboxrelay.client;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.jspecify.annotations.Nullable;
import org.springframework.core.Ordered;
import org.springframework.jdbc.datasource.ConnectionHolder;
import org.springframework.jdbc.datasource.JdbcTransactionObjectSupport;
import org.springframework.transaction.ConfigurableTransactionManager;
import org.springframework.transaction.PlatformTransactionManager;
import org.springframework.transaction.TransactionExecution;
import org.springframework.transaction.TransactionExecutionListener;
import org.springframework.transaction.support.DefaultTransactionStatus;
import org.springframework.transaction.support.TransactionSynchronization;
import org.springframework.transaction.support.TransactionSynchronizationManager;

/**
 * The transactions that the calling thread has begun and that have not ended, those that are suspended included.
 *
 * <p>What Spring binds to a thread looks the same before a commit and after it: the connection stays bound, and the
 * transaction counts as active, until all callbacks have run. Only a listener at the transaction manager is told of the
 * begin and, immediately before the connection commits or rolls back, of the end. Called by the thread of the
 * transaction; keeps nothing once that has ended.
 */
final class TransactionWatch implements TransactionExecutionListener {

    private static final TransactionWatch WATCH = new TransactionWatch();

    private final ThreadLocal<List<Begun>> begun = ThreadLocal.withInitial(ArrayList::new);

    private TransactionWatch() {}

    /** Watches the transactions that this manager begins from now on. */
    static synchronized void over(PlatformTransactionManager manager) {
        if (manager instanceof ConfigurableTransactionManager configurable
                && !configurable.getTransactionExecutionListeners().contains(WATCH)) {
            // A copy, because transactions of other threads may be calling the listeners.
            List<TransactionExecutionListener> listeners =
                    new CopyOnWriteArrayList<>(configurable.getTransactionExecutionListeners());
            listeners.add(WATCH);
            configurable.setTransactionExecutionListeners(listeners);
        }
    }

    /** The calling thread's transactions, the innermost last. */
    static List<Begun> ofThisThread() {
        List<Begun> transactions = List.copyOf(WATCH.begun.get());
        WATCH.forgetIfEmpty();
        return transactions;
    }

    @Override
    public void afterBegin(TransactionExecution transaction, @Nullable Throwable failure) {
        // A savepoint is part of the transaction around it.
        if (failure == null && transaction.isNewTransaction()) {
            begun.get().removeIf(earlier -> earlier.transaction.isCompleted());
            Begun added = new Begun(transaction);
            begun.get().add(added);
            if (TransactionSynchronizationManager.isSynchronizationActive()) {
                TransactionSynchronizationManager.registerSynchronization(added);
            }
        }
    }

    @Override
    public void beforeCommit(TransactionExecution transaction) {
        ends(transaction);
    }

    @Override
    public void beforeRollback(TransactionExecution transaction) {
        ends(transaction);
    }

    @Override
    public void afterCommit(TransactionExecution transaction, @Nullable Throwable failure) {
        forget(transaction);
    }

    @Override
    public void afterRollback(TransactionExecution transaction, @Nullable Throwable failure) {
        forget(transaction);
    }

    private void ends(TransactionExecution transaction) {
        for (Begun each : begun.get()) {
            if (each.transaction == transaction) {
                each.ending = true;
            }
        }
        forgetIfEmpty();
    }

    private void forget(TransactionExecution transaction) {
        begun.get().removeIf(each -> each.transaction == transaction);
        forgetIfEmpty();
    }

    /** Null where the manager works on something else than a JDBC connection, or hides it. */
    private static @Nullable ConnectionHolder holderOf(TransactionExecution transaction) {
        return transaction instanceof DefaultTransactionStatus status
                        && status.hasTransaction()
                        && status.getTransaction() instanceof JdbcTransactionObjectSupport jdbc
                        && jdbc.hasConnectionHolder()
                ? jdbc.getConnectionHolder()
                : null;
    }

    private void forgetIfEmpty() {
        if (begun.get().isEmpty()) {
            begun.remove();
        }
    }

    /**
     * A transaction from its begin to the last callback after its end. It is the first to be called then: a manager
     * that rolls back because a callback before the commit has thrown does not announce that to its listeners.
     */
    static final class Begun implements TransactionSynchronization, Ordered {

        private final TransactionExecution transaction;
        private final @Nullable ConnectionHolder holder;
        private boolean ending;

        private Begun(TransactionExecution transaction) {
            this.transaction = transaction;
            this.holder = holderOf(transaction);
        }

        @Override
        public void afterCompletion(int status) {
            ending = true;
        }

        @Override
        public int getOrder() {
            return Ordered.HIGHEST_PRECEDENCE;
        }

        /** Whether it will commit, or roll back, the connection of this holder. */
        boolean isOn(@Nullable Object boundHolder) {
            return holder != null && holder == boundHolder;
        }

        /** Whether it is this one, or this one has joined it. */
        boolean includes(TransactionExecution joined) {
            return isOn(holderOf(joined));
        }

        /** Whether its connection is not bound to the thread now, because another transaction, or none, is. */
        boolean isSuspended() {
            return holder == null
                    ? !TransactionSynchronizationManager.isActualTransactionActive()
                    : !TransactionSynchronizationManager.getResourceMap().containsValue(holder);
        }

        /** Whether its connection is being committed or rolled back, or has been. */
        boolean isEnding() {
            return ending;
        }

        boolean isReadOnly() {
            return transaction.isReadOnly();
        }

        /** As Spring has it, mostly the class and method that are {@code @Transactional}; or empty. */
        String name() {
            return transaction.getTransactionName();
        }
    }
}
