package io.outboxrelay.relay.rabbitmq;

import io.outboxrelay.relay.lane.Event;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A template of an exchange's name or a routing key, such as {@code {aggregate_type}.{event_type}}. Types are inserted
 * in lower-case dotted form, {@code OrderPlaced} as {@code order.placed}; ids unchanged.
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
     * @param template text with placeholders {@code {aggregate_type}}, {@code {aggregate_id}}, {@code {event_type}}
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
            case "aggregate_type" -> event -> dotted(event.aggregate().type());
            case "aggregate_id" -> event -> event.aggregate().id();
            case "event_type" -> event -> dotted(event.type());
            default ->
                throw new IllegalArgumentException("The template '" + template + "' has the unknown placeholder {"
                        + name + "}; known are {aggregate_type}, {aggregate_id} and {event_type}");
        };
    }

    /**
     * A word begins at a capital after a small letter or digit, and at the last of several capitals before a small
     * letter.
     */
    private static String dotted(String name) {
        StringBuilder words = new StringBuilder(name.length() + 4);
        for (int i = 0; i < name.length(); i++) {
            char letter = name.charAt(i);
            if (i > 0 && isCapital(letter) && beginsWord(name, i)) {
                words.append('.');
            }
            words.append(letter);
        }
        return words.toString().toLowerCase(Locale.ROOT);
    }

    private static boolean beginsWord(String name, int i) {
        char before = name.charAt(i - 1);
        return isSmall(before)
                || before >= '0' && before <= '9'
                || isCapital(before) && i + 1 < name.length() && isSmall(name.charAt(i + 1));
    }

    private static boolean isCapital(char letter) {
        return letter >= 'A' && letter <= 'Z';
    }

    private static boolean isSmall(char letter) {
        return letter >= 'a' && letter <= 'z';
    }
}
