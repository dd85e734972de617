package io.outboxrelay.test;

import org.springframework.core.Ordered;
import org.springframework.test.context.TestContext;
import org.springframework.test.context.TestExecutionListener;

/** Lets {@link PublishedEvents} begin anew before each test method, before a test's own transaction begins. */
final class FreshPublishedEvents implements TestExecutionListener, Ordered {

    /** Spring's own listener for transactions has 4000. */
    private static final int BEFORE_TRANSACTIONS = 3_900;

    /** Called by Spring. */
    FreshPublishedEvents() {}

    @Override
    public int getOrder() {
        return BEFORE_TRANSACTIONS;
    }

    @Override
    public void beforeTestMethod(TestContext test) {
        if (test.hasApplicationContext()) {
            test.getApplicationContext().getBeanProvider(PublishedEvents.class).stream()
                    .forEach(PublishedEvents::forget);
        }
    }
}
