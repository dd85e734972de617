package io.outboxrelay.relay.lane;

import java.util.Locale;

/** Numbers with their nouns, as people write them. */
public final class Count {

    private Count() {}

    /**
     * Writes a number with its noun.
     *
     * @param number how many
     * @param noun of one, with a plural that ends in s
     * @return for example {@code 1 event} or {@code 12,345 events}
     */
    public static String of(long number, String noun) {
        return String.format(Locale.ROOT, "%,d %s%s", number, noun, number == 1 ? "" : "s");
    }
}
