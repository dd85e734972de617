package io.outboxrelay.relay.configuration;

import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** {@code ${VAR}} and {@code ${VAR:-default}} in the file; {@code $${} is a plain <code>${</code>. */
final class Variables {

    private static final Pattern REFERENCE =
            Pattern.compile("\\$\\$\\{|\\$\\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?}|\\$\\{");

    private final Map<String, String> environment;

    Variables(Map<String, String> environment) {
        this.environment = environment;
    }

    /** {@return what is wrong with the references of this text; null when they can be replaced} */
    @Nullable
    String fault(String text) {
        Matcher reference = REFERENCE.matcher(text);
        while (reference.find()) {
            if (reference.group().equals("${")) {
                return "has a reference that is none. Write ${VARIABLE} or ${VARIABLE:-default}, and $${ for a plain ${.";
            }
            if (reference.group(1) != null
                    && reference.group(2) == null
                    && !environment.containsKey(reference.group(1))) {
                return "needs the environment variable %s, which is not set. Set it, or write ${%1$s:-default}."
                        .formatted(reference.group(1));
            }
        }
        return null;
    }

    String replace(String text) {
        return REFERENCE
                .matcher(text)
                .replaceAll(reference -> Matcher.quoteReplacement(value(reference.group(1), reference.group(2))));
    }

    private String value(@Nullable String name, @Nullable String standard) {
        if (name == null) {
            return "${";
        }
        String value = environment.get(name);
        return standard != null && (value == null || value.isEmpty()) ? standard : value == null ? "" : value;
    }
}
