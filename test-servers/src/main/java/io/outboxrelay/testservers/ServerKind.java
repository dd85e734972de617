package io.outboxrelay.testservers;

import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** Where a server can come from. */
enum ServerKind {
    CONTAINERS,
    INSTALLED,
    EMBEDDED;

    static final String PROPERTY = "outbox.servers";
    static final String ENVIRONMENT = "OUTBOX_SERVERS";

    String word() {
        return name().toLowerCase(java.util.Locale.ROOT);
    }

    /**
     * The kind that a person forced.
     *
     * @param property the system property's value, which wins
     * @param environment the environment variable's value
     * @return empty when neither is set
     * @throws IllegalArgumentException when the value is none of the kinds
     */
    static Optional<ServerKind> forced(@Nullable String property, @Nullable String environment) {
        String value = property != null && !property.isBlank() ? property : environment;
        if (value == null || value.isBlank()) {
            return Optional.empty();
        }
        for (ServerKind kind : values()) {
            if (kind.word().equals(value.strip())) {
                return Optional.of(kind);
            }
        }
        throw new IllegalArgumentException("-D%s or %s is '%s'; it must be one of %s, or unset for the first that works"
                .formatted(
                        PROPERTY,
                        ENVIRONMENT,
                        value,
                        Arrays.stream(values()).map(ServerKind::word).collect(Collectors.joining(", "))));
    }

    static List<ServerKind> order(Preference preference) {
        return forced(System.getProperty(PROPERTY), System.getenv(ENVIRONMENT))
                .map(List::of)
                .orElseGet(() -> switch (preference) {
                    case CONTAINERS_FIRST -> List.of(CONTAINERS, INSTALLED, EMBEDDED);
                    case INSTALLED_FIRST -> List.of(INSTALLED, CONTAINERS, EMBEDDED);
                    case EMBEDDED_FIRST -> List.of(EMBEDDED, INSTALLED, CONTAINERS);
                });
    }
}
