package io.outboxrelay.relay.gate;

/**
 * Makes a subject's name of an event's types.
 *
 * @param text with {@code {aggregate_type}} and {@code {event_type}}, for which the types are put in as they stand
 */
record SubjectTemplate(String text) {

    String of(String aggregateType, String eventType) {
        return text.replace("{aggregate_type}", aggregateType).replace("{event_type}", eventType);
    }

    /** Whether the name can be told for a rule that leaves a type open. */
    boolean needs(String placeholder) {
        return text.contains(placeholder);
    }
}
