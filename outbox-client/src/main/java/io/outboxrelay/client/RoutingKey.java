package io.outboxrelay.client;

import java.util.Locale;

/**
 * The routing keys under which relays publish unless they are configured otherwise. A key has two words, one for the
 * type of the aggregate and one for the event, so that {@code order.*} matches the events of every order and of nothing
 * else.
 *
 * <p>A type becomes a word in lower case with hyphens, whatever its convention: {@code OrderItem}, {@code order_item},
 * {@code ORDER_ITEM} and {@code order.item} all become {@code order-item}. An event type that begins with the name of
 * its aggregate does not repeat it: an {@code OrderPlaced} of an {@code Order} has the key {@code order.placed}, a
 * {@code PaymentFailed} of an {@code Order} has {@code order.payment-failed}.
 */
public final class RoutingKey {

    private RoutingKey() {}

    /**
     * The key of one type of event.
     *
     * @param aggregateType for example {@code Order}
     * @param eventType for example {@code OrderPlaced}
     * @return for example {@code order.placed}
     */
    public static String of(String aggregateType, String eventType) {
        return word(aggregateType) + "." + event(aggregateType, eventType);
    }

    /**
     * The pattern of all events of a type of aggregate, for a binding to a topic exchange.
     *
     * @param aggregateType for example {@code Order}
     * @return for example {@code order.*}
     */
    public static String ofAll(String aggregateType) {
        return word(aggregateType) + ".*";
    }

    /**
     * A type as a word of a routing key. A new part of the word begins at a capital letter after a small letter or a
     * digit, at the last of several capitals before a small letter, and after everything that is neither a letter nor a
     * digit.
     *
     * @param type of an aggregate or of an event
     * @return the parts in lower case, joined by hyphens; one hyphen if the type has no letter and no digit
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
     * The second word of a key: the event type's word without the word of the aggregate's type in front of it.
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
