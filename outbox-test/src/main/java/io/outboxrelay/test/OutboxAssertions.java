package io.outboxrelay.test;

/** The entry points of the assertions, to be imported statically beside those of AssertJ. */
public final class OutboxAssertions {

    private OutboxAssertions() {}

    /**
     * Begins assertions on what was published.
     *
     * @param events read at each assertion anew
     * @return the assertions
     */
    public static PublishedEventsAssert assertThat(PublishedEvents events) {
        return new PublishedEventsAssert(events);
    }

    /**
     * Begins assertions on one event.
     *
     * @param event one that was published
     * @return the assertions
     */
    public static PublishedEventAssert assertThat(PublishedEvent event) {
        return new PublishedEventAssert(event);
    }
}
