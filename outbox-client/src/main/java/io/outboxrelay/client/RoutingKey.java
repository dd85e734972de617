package io.outboxrelay.client;

import java.util.Locale;

/**
 * The routing keys that relays use unless {@code broker.routing-key} is configured. A key has two words, one for the
 * type of the aggregate and one for the event. So {@code order.*} matches the events of all orders, and no others.
 *
 * <p>A type becomes one word in lower case, with hyphens between its parts. Its naming convention does not matter:
 * {@code OrderItem}, {@code order_item}, {@code ORDER_ITEM} and {@code order.item} all become {@code order-item}. The
 * second word omits the aggregate type if the event type begins with it. An {@code OrderPlaced} of an {@code Order} has
 * the key {@code order.placed}. A {@code PaymentFailed} of an {@code Order} has the key {@code order.payment-failed}.
 */
public final class RoutingKey {

    private RoutingKey() {}

    /**
     * Returns the key of one event type.
     *
     * @param aggregateType for example {@code Order}
     * @param eventType for example {@code OrderPlaced}
     * @return for example {@code order.placed}
     */
    public static String of(String aggregateType, String eventType) {
        return word(aggregateType) + "." + event(aggregateType, eventType);
    }

    /**
     * Returns the pattern that matches all events of an aggregate type, for a binding to a topic exchange.
     *
     * @param aggregateType for example {@code Order}
     * @return for example {@code order.*}
     */
    public static String ofAll(String aggregateType) {
        return word(aggregateType) + ".*";
    }

    /**
     * Returns a type as one word of a routing key. A new part of the word begins in three places: at a capital letter
     * after a small letter or a digit, at the last of several capital letters before a small letter, and after every
     * character that is neither a letter nor a digit.
     *
     * @param type the type of an aggregate or of an event
     * @return the parts in lower case, joined by hyphens; a single hyphen if the type has no letter and no digit
     */
    public static String word(String type) {
        int[] letters = type.codePoints().toArray();
        StringBuilder word = new StringBuilder(type.length() + 4);
        for (int i = 0; i < letters.length; i++) {
            if (!Character.isLetterOrDigit(letters[i])) {
                continue;
            }
            if (!word.isEmpty() && beginsPart(letters, i)) {
                word.append('-');
            }
            word.appendCodePoint(letters[i]);
        }
        return word.isEmpty() ? "-" : word.toString().toLowerCase(Locale.ROOT);
    }

    /**
     * Returns the second word of a key: the word of the event type, without the word of the aggregate type at its
     * beginning.
     *
     * @param aggregateType for example {@code Order}
     * @param eventType for example {@code OrderPlaced}
     * @return for example {@code placed}
     */
    public static String event(String aggregateType, String eventType) {
        String event = word(eventType);
        String aggregate = word(aggregateType) + "-";
        return event.startsWith(aggregate) && event.length() > aggregate.length()
                ? event.substring(aggregate.length())
                : event;
    }

    private static boolean beginsPart(int[] letters, int i) {
        int before = letters[i - 1];
        return !Character.isLetterOrDigit(before)
                || Character.isUpperCase(letters[i])
                        && (!Character.isUpperCase(before)
                                || i + 1 < letters.length && Character.isLowerCase(letters[i + 1]));
    }
}
