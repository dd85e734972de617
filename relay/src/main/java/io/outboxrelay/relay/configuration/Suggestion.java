package io.outboxrelay.relay.configuration;

import java.util.Collection;
import java.util.Comparator;

/** What somebody may have meant. */
final class Suggestion {

    private Suggestion() {}

    /** {@return a sentence that names the candidate nearest to the word, or none if none is near} */
    static String nearest(String word, Collection<String> candidates) {
        return candidates.stream()
                .filter(candidate ->
                        distance(word, candidate) <= Math.max(2, word.length() / 4) || candidate.endsWith("." + word))
                .min(Comparator.comparingInt(candidate -> distance(word, candidate)))
                .map(candidate -> " Did you mean " + candidate + "?")
                .orElse(" See the table of keys in docs/configuration.md.");
    }

    /** Number of single-character changes between two words (Levenshtein). */
    private static int distance(String a, String b) {
        int[] row = new int[b.length() + 1];
        for (int j = 0; j <= b.length(); j++) {
            row[j] = j;
        }
        for (int i = 1; i <= a.length(); i++) {
            int diagonal = row[0];
            row[0] = i;
            for (int j = 1; j <= b.length(); j++) {
                int change = diagonal + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.min(change, 1 + Math.min(row[j], row[j - 1]));
            }
        }
        return row[b.length()];
    }
}
