package io.outboxrelay.spring;

import java.util.Arrays;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;
import org.springframework.beans.factory.ListableBeanFactory;
import org.springframework.boot.autoconfigure.condition.AnyNestedCondition;
import org.springframework.boot.autoconfigure.condition.ConditionalOnProperty;
import org.springframework.boot.autoconfigure.condition.ConditionalOnSingleCandidate;
import org.springframework.boot.context.properties.source.InvalidConfigurationPropertyValueException;
import org.springframework.transaction.PlatformTransactionManager;

/** The data source and the transaction manager that outbox and inbox use: the named one, or else the only one. */
final class ChosenBean {

    static final String DATA_SOURCE = "outbox.data-source";

    static final String TRANSACTION_MANAGER = "outbox.transaction-manager";

    private ChosenBean() {}

    static DataSource dataSource(ListableBeanFactory beans, OutboxProperties properties) {
        return get(beans, DataSource.class, DATA_SOURCE, properties.dataSource());
    }

    static PlatformTransactionManager transactionManager(ListableBeanFactory beans, OutboxProperties properties) {
        return get(beans, PlatformTransactionManager.class, TRANSACTION_MANAGER, properties.transactionManager());
    }

    private static <T> T get(ListableBeanFactory beans, Class<T> type, String property, @Nullable String name) {
        if (name == null) {
            return beans.getBean(type);
        }
        String[] names = beans.getBeanNamesForType(type);
        if (!Arrays.asList(names).contains(name)) {
            throw new InvalidConfigurationPropertyValueException(
                    property,
                    name,
                    "There is no bean of type " + type.getName() + " with this name. "
                            + (names.length == 0
                                    ? "There is none at all."
                                    : "Use one of: " + String.join(", ", names)));
        }
        return beans.getBean(name, type);
    }

    /** A data source is named, or one of those that are beans comes first. */
    static final class OfDataSources extends AnyNestedCondition {

        OfDataSources() {
            super(ConfigurationPhase.REGISTER_BEAN);
        }

        @ConditionalOnProperty(DATA_SOURCE)
        static class Named {}

        @ConditionalOnSingleCandidate(DataSource.class)
        static class Only {}
    }

    /** A transaction manager is named, or one of those that are beans comes first. */
    static final class OfTransactionManagers extends AnyNestedCondition {

        OfTransactionManagers() {
            super(ConfigurationPhase.REGISTER_BEAN);
        }

        @ConditionalOnProperty(TRANSACTION_MANAGER)
        static class Named {}

        @ConditionalOnSingleCandidate(PlatformTransactionManager.class)
        static class Only {}
    }
}
