package io.outboxrelay.relay.lane;

import java.util.List;

/**
 * A choice that may differ by route: by the aggregate type and the event type.
 *
 * @param otherwise the choice for events that no rule matches
 * @param rules the first matching rule decides
 */
public record ByRoute<T>(T otherwise, List<Rule<T>> rules) {

    /** Stands for every type. */
    public static final String ANY = "*";

    /**
     * A choice for certain types.
     *
     * @param aggregateType the type, or {@link #ANY}
     * @param eventType the type, or {@link #ANY}
     * @param choice the choice
     */
    public record Rule<T>(String aggregateType, String eventType, T choice) {

        boolean matches(Event event) {
            return matches(aggregateType, event.aggregate().type()) && matches(eventType, event.type());
        }

        private static boolean matches(String pattern, String type) {
            return pattern.equals(ANY) || pattern.equals(type);
        }
    }

    /** The same choice for all. */
    public static <T> ByRoute<T> always(T choice) {
        return new ByRoute<>(choice, List.of());
    }

    T of(Event event) {
        if (rules.isEmpty()) {
            return otherwise; // asked for every event
        }
        return rules.stream()
                .filter(rule -> rule.matches(event))
                .findFirst()
                .map(Rule::choice)
                .orElse(otherwise);
    }
}
