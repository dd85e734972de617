package io.outboxrelay.schemas.contract;

import java.util.Collection;
import java.util.Comparator;

/** What somebody may have meant. */
final class NearMiss {

    private NearMiss() {}

    /** A sentence with a space before it that names the candidate nearest to the word, or nothing if none is near. */
    static String of(String word, Collection<String> candidates) {
        return candidates.stream()
                .filter(candidate -> changes(word, candidate) <= Math.max(2, word.length() / 4))
                .min(Comparator.comparingInt(candidate -> changes(word, candidate)))
                .map(candidate -> " Did you mean " + candidate + "?")
                .orElse("");
    }

    /** Letters to put in, to leave out or to replace to make one word of the other, whatever their case. */
    private static int changes(String one, String other) {
        int[] before = new int[other.length() + 1];
        for (int i = 0; i <= other.length(); i++) {
            before[i] = i;
        }
        for (int i = 1; i <= one.length(); i++) {
            int[] now = new int[other.length() + 1];
            now[0] = i;
            for (int j = 1; j <= other.length(); j++) {
                boolean same = Character.toLowerCase(one.charAt(i - 1)) == Character.toLowerCase(other.charAt(j - 1));
                now[j] = Math.min(before[j - 1] + (same ? 0 : 1), 1 + Math.min(before[j], now[j - 1]));
            }
            before = now;
        }
        return before[other.length()];
    }
}
