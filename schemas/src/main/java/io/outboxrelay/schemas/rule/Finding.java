package io.outboxrelay.schemas.rule;

import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * One place where a contract breaks a rule.
 *
 * @param rule which one
 * @param file where it can be mended
 * @param path inside the schema, such as {@code OrderPlaced.lines[].price}; of a map's values {@code prices{}.net}
 * @param before how the place was, and in which version; null where nothing is compared
 * @param after how it is now
 * @param failing who fails, or reads something else than what was written; empty where nothing is compared
 * @param problem what is wrong, in a sentence
 */
public record Finding(
        Rule rule,
        String file,
        String path,
        @Nullable Excerpt before,
        @Nullable Excerpt after,
        Set<Readers> failing,
        String problem) {

    public Finding {
        failing = Set.copyOf(failing);
    }

    /**
     * A piece of a schema.
     *
     * @param version which one it is of
     * @param text as JSON, or a word for what is not there
     */
    public record Excerpt(String version, String text) {}

    static Finding single(Rule rule, String file, String path, String problem) {
        return new Finding(rule, file, path, null, null, Set.of(), problem);
    }

    /** {@return whether the build must stop} */
    public boolean isError() {
        return rule.severity() == Severity.ERROR;
    }

    /** {@return who would fail, in a sentence; empty where nothing is compared} */
    public String whoFails() {
        if (before == null || after == null || failing.isEmpty()) {
            return "";
        }
        String old = "readers of " + before.version() + ", when they get events of " + after.version();
        String now = "readers of " + after.version() + ", when they get events of " + before.version();
        return failing.size() == 2 ? old + "; " + now : failing.contains(Readers.OLD) ? old : now;
    }
}
