package io.outboxrelay.spring;

import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.beans.factory.BeanClassLoaderAware;
import org.springframework.boot.autoconfigure.AutoConfigurationImportFilter;
import org.springframework.boot.autoconfigure.AutoConfigurationMetadata;
import org.springframework.boot.context.properties.bind.Bindable;
import org.springframework.boot.context.properties.bind.Binder;
import org.springframework.context.EnvironmentAware;
import org.springframework.core.env.Environment;
import org.springframework.util.ClassUtils;

/**
 * Keeps Spring Boot 3 from running its own Flyway only because this starter brings {@code flyway-core}: a run that
 * nobody asked for would fail in a database with tables. An application that uses Flyway has migrations in
 * {@code db/migration} or a property below {@code spring.flyway}, and keeps it. Spring Boot 4 runs Flyway only with its
 * own module for it, and nothing is changed there.
 */
final class UnaskedFlyway implements AutoConfigurationImportFilter, EnvironmentAware, BeanClassLoaderAware {

    private static final Logger LOG = LoggerFactory.getLogger(UnaskedFlyway.class);

    /** Its name in Spring Boot 3. */
    private static final String FLYWAY = "org.springframework.boot.autoconfigure.flyway.FlywayAutoConfiguration";

    private @Nullable Environment environment;
    private @Nullable ClassLoader classes;

    /** Called by Spring. */
    UnaskedFlyway() {}

    @Override
    public void setEnvironment(Environment environment) {
        this.environment = environment;
    }

    @Override
    public void setBeanClassLoader(ClassLoader classes) {
        this.classes = classes;
    }

    @Override
    public boolean[] match(@Nullable String[] candidates, AutoConfigurationMetadata metadata) {
        boolean[] kept = new boolean[candidates.length];
        for (int i = 0; i < candidates.length; i++) {
            kept[i] = !FLYWAY.equals(candidates[i]) || !isPresent() || isAskedFor();
        }
        return kept;
    }

    private boolean isPresent() {
        return ClassUtils.isPresent(FLYWAY, classes);
    }

    private boolean isAskedFor() {
        boolean asked = environment == null
                || Binder.get(environment)
                        .bind("spring.flyway", Bindable.mapOf(String.class, Object.class))
                        .isBound()
                || classes == null
                || classes.getResource("db/migration") != null;
        if (!asked) {
            LOG.warn("Spring Boot's Flyway is not run: there is no db/migration and no spring.flyway property."
                    + " outbox-spring-boot-starter brings flyway-core for its own tables. If the application has"
                    + " migrations of its own, for example beans, set spring.flyway.enabled=true; if it has none, set"
                    + " it to false");
        }
        return asked;
    }
}
