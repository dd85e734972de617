package io.outboxrelay.relay.rabbitmq;

import io.outboxrelay.client.RoutingKey;
import io.outboxrelay.relay.lane.Event;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A template of an exchange's name or a routing key, such as {@code {aggregate_type}.{event}}. Types are inserted as
 * {@linkplain RoutingKey words}, ids unchanged.
 */
final class Template {

    private static final Pattern PLACEHOLDER = Pattern.compile("\\{([^}]*)}");

    private final List<Function<Event, String>> parts = new ArrayList<>();
    private final boolean constant;

    private Template(String template) {
        Matcher placeholder = PLACEHOLDER.matcher(template);
        int end = 0;
        while (placeholder.find()) {
            add(template.substring(end, placeholder.start()));
            parts.add(value(template, placeholder.group(1)));
            end = placeholder.end();
        }
        constant = end == 0;
        add(template.substring(end));
    }

    /**
     * Reads a template.
     *
     * @param template text with placeholders {@code {aggregate_type}}, {@code {aggregate_id}}, {@code {event_type}},
     *     {@code {event}}
     * @throws IllegalArgumentException if it has another placeholder
     */
    static Template of(String template) {
        return new Template(template);
    }

    /** A text that is used unchanged, even if it looks like a placeholder. */
    static Template constant(String text) {
        Template template = new Template("");
        template.parts.add(event -> text);
        return template;
    }

    /** The same template after a text that is used unchanged. */
    Template after(String text) {
        Template template = constant(text);
        template.parts.addAll(parts);
        return template;
    }

    /** Returns the template's text for an event. */
    String of(Event event) {
        if (parts.size() == 1) {
            return parts.get(0).apply(event);
        }
        StringBuilder text = new StringBuilder();
        parts.forEach(part -> text.append(part.apply(event)));
        return text.toString();
    }

    /** Returns whether the text is the same for all events. */
    boolean isConstant() {
        return constant;
    }

    private void add(String text) {
        if (!text.isEmpty()) {
            parts.add(event -> text);
        }
    }

    private static Function<Event, String> value(String template, String name) {
        return switch (name) {
            case "aggregate_type" -> event -> RoutingKey.word(event.aggregate().type());
            case "aggregate_id" -> event -> event.aggregate().id();
            case "event_type" -> event -> RoutingKey.word(event.type());
            case "event" -> event -> RoutingKey.event(event.aggregate().type(), event.type());
            default ->
                throw new IllegalArgumentException("The template '" + template + "' has the unknown placeholder {"
                        + name + "}; known are {aggregate_type}, {aggregate_id}, {event_type} and {event}");
        };
    }
}
