package io.outboxrelay.spring;

import org.jspecify.annotations.Nullable;
import org.springframework.beans.factory.BeanFactory;
import org.springframework.beans.factory.InjectionPoint;
import org.springframework.beans.factory.NoSuchBeanDefinitionException;
import org.springframework.beans.factory.NoUniqueBeanDefinitionException;
import org.springframework.beans.factory.UnsatisfiedDependencyException;
import org.springframework.beans.factory.annotation.Qualifier;
import org.springframework.beans.factory.config.ConfigurableListableBeanFactory;
import org.springframework.boot.diagnostics.FailureAnalysis;
import org.springframework.boot.diagnostics.analyzer.AbstractInjectionFailureAnalyzer;
import org.springframework.core.Ordered;
import org.springframework.core.annotation.MergedAnnotations;
import org.springframework.core.env.Environment;

/**
 * Says why there is no outbox, inbox, maker of consumers or maker of events, and which lines help, where Spring Boot
 * would say only that a bean is missing.
 */
final class MissingBeanFailureAnalyzer extends AbstractInjectionFailureAnalyzer<NoSuchBeanDefinitionException>
        implements Ordered {

    private final @Nullable MissingBeans missing;

    /** Called by Spring Boot. */
    MissingBeanFailureAnalyzer(BeanFactory beans, Environment environment) {
        this.missing =
                beans instanceof ConfigurableListableBeanFactory known ? new MissingBeans(known, environment) : null;
    }

    /** Before Spring Boot's own. */
    @Override
    public int getOrder() {
        return Ordered.HIGHEST_PRECEDENCE;
    }

    /** The bean may be there, and another one than the starter's is meant. */
    private static boolean asksForAQualifiedOne(Throwable failure) {
        for (Throwable each = failure; each != null; each = each.getCause()) {
            InjectionPoint point =
                    each instanceof UnsatisfiedDependencyException unsatisfied ? unsatisfied.getInjectionPoint() : null;
            if (point != null && each.getCause() instanceof NoSuchBeanDefinitionException) {
                MergedAnnotations annotations = MergedAnnotations.from(point.getAnnotations());
                return annotations.isPresent(Qualifier.class) || annotations.isPresent("jakarta.inject.Qualifier");
            }
        }
        return false;
    }

    @Override
    protected @Nullable FailureAnalysis analyze(
            Throwable rootFailure, NoSuchBeanDefinitionException cause, @Nullable String description) {
        Class<?> type = cause.getBeanType();
        if (missing == null
                || type == null
                || cause instanceof NoUniqueBeanDefinitionException
                || asksForAQualifiedOne(rootFailure)) {
            return null;
        }
        String where = description == null ? "The application" : description;
        return missing.reasonFor(type)
                .map(reason -> new FailureAnalysis(
                        "%s requires a bean of type %s, which outbox-spring-boot-starter makes. It did not, because %s."
                                .formatted(where, type.getName(), reason.why()),
                        reason.help(),
                        rootFailure))
                .orElse(null);
    }
}
