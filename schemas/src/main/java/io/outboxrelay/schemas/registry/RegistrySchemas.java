package io.outboxrelay.schemas.registry;

import io.outboxrelay.schemas.encoding.SchemaSource;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Collectors;
import org.apache.avro.Schema;
import org.apache.avro.SchemaNormalization;

/** The versions of certain subjects as a source of writers' schemas. Safe for use by many threads. */
public final class RegistrySchemas implements SchemaSource {

    /** Bodies with a fingerprint that nobody knows must not become as many requests. */
    private static final Duration BETWEEN_VAIN_LOOKS = Duration.ofSeconds(1);

    private static final int MOST_VAIN = 1_000;

    private final Registry registry;
    private final Set<String> subjects;
    private final Map<Long, List<Schema>> byFingerprint = new ConcurrentHashMap<>();
    private final Remembered<Long, Long> lookedInVainAt = new Remembered<>(MOST_VAIN);

    /**
     * @param registry where to look
     * @param subjects whose versions a reader wants to understand
     */
    public RegistrySchemas(Registry registry, Set<String> subjects) {
        this.registry = registry;
        this.subjects = Set.copyOf(subjects);
    }

    @Override
    public List<Schema> byFingerprint(long fingerprint) {
        List<Schema> known = byFingerprint.get(fingerprint);
        if (known != null) {
            return known;
        }
        Long vain = lookedInVainAt.get(fingerprint);
        long now = System.nanoTime();
        if (vain != null && now - vain < BETWEEN_VAIN_LOOKS.toNanos()) {
            return List.of();
        }
        Map<Long, List<Schema>> all = subjects.stream()
                .flatMap(subject -> registry.allVersions(subject).stream())
                .map(RegisteredSchema::schema)
                .collect(Collectors.groupingBy(SchemaNormalization::parsingFingerprint64));
        byFingerprint.putAll(all);
        if (!all.containsKey(fingerprint)) {
            lookedInVainAt.put(fingerprint, now);
        }
        return all.getOrDefault(fingerprint, List.of());
    }

    @Override
    public Optional<Schema> byId(int id) {
        return registry.byId(id);
    }
}
