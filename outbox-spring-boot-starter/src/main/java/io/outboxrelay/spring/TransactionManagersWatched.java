package io.outboxrelay.spring;

import io.outboxrelay.client.Outbox;
import org.springframework.beans.factory.config.BeanPostProcessor;
import org.springframework.transaction.PlatformTransactionManager;

/**
 * Lets the outbox know of every transaction manager of the application, before it begins a transaction. The outbox does
 * not depend on them, so that a JPA entity listener may publish.
 */
final class TransactionManagersWatched implements BeanPostProcessor {

    @Override
    public Object postProcessAfterInitialization(Object bean, String name) {
        if (bean instanceof PlatformTransactionManager transactions) {
            Outbox.watch(transactions);
        }
        return bean;
    }
}
