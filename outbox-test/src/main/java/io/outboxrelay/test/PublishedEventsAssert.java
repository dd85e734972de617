package io.outboxrelay.test;

import java.util.List;
import java.util.stream.Collectors;
import org.assertj.core.api.AbstractAssert;

/** Assertions on what was published. A failure shows all events that were. */
public final class PublishedEventsAssert extends AbstractAssert<PublishedEventsAssert, PublishedEvents> {

    PublishedEventsAssert(PublishedEvents events) {
        super(events, PublishedEventsAssert.class);
    }

    /**
     * Nothing was published.
     *
     * @return this
     */
    public PublishedEventsAssert isEmpty() {
        List<PublishedEvent> events = actual.list();
        if (!events.isEmpty()) {
            failWithMessage("Expected that no event is published, but %s", counted(events));
        }
        return this;
    }

    /**
     * Events of exactly these types were published, in this order.
     *
     * @param eventTypes one for each event
     * @return this
     */
    public PublishedEventsAssert hasTypes(String... eventTypes) {
        List<PublishedEvent> events = actual.list();
        List<String> types = events.stream().map(PublishedEvent::eventType).toList();
        if (!types.equals(List.of(eventTypes))) {
            failWithMessage("Expected events of the types %s, but %s", List.of(eventTypes), counted(events));
        }
        return this;
    }

    /**
     * No event of this type was published.
     *
     * @param eventType what must not have happened
     * @return this
     */
    public PublishedEventsAssert hasNone(String eventType) {
        if (!actual.ofType(eventType).isEmpty()) {
            failWithMessage("Expected no event of the type %s, but %s", eventType, counted(actual.list()));
        }
        return this;
    }

    /**
     * Exactly one event of this type was published, beside any others.
     *
     * @param eventType what happened
     * @return assertions on this event
     */
    public PublishedEventAssert hasOne(String eventType) {
        List<PublishedEvent> events = actual.ofType(eventType);
        if (events.size() != 1) {
            failWithMessage("Expected one event of the type %s, but %s", eventType, counted(actual.list()));
        }
        return new PublishedEventAssert(events.get(0));
    }

    private static String counted(List<PublishedEvent> events) {
        return events.isEmpty()
                ? "none was published"
                : events.stream().map(event -> "\n  " + event).collect(Collectors.joining("", "there is:", ""));
    }
}
