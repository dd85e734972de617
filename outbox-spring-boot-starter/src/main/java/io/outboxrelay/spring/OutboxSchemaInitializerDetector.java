package io.outboxrelay.spring;

import java.util.Set;
import org.springframework.boot.sql.init.dependency.AbstractBeansOfTypeDatabaseInitializerDetector;

/** Tells Spring Boot that beans which use the database must wait for the {@link OutboxSchemaInitializer}. */
final class OutboxSchemaInitializerDetector extends AbstractBeansOfTypeDatabaseInitializerDetector {

    /** Called by Spring. */
    OutboxSchemaInitializerDetector() {}

    /**
     * After Flyway, which has 1 and refuses to begin in a schema that has tables already; before the application's
     * scripts.
     */
    @Override
    public int getOrder() {
        return 2;
    }

    @Override
    protected Set<Class<?>> getDatabaseInitializerBeanTypes() {
        return Set.of(OutboxSchemaInitializer.class);
    }
}
