package io.outboxrelay.schemas.encoding;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import org.apache.avro.Schema;
import org.apache.avro.SchemaNormalization;

/** Schemas that are all known from the beginning. */
final class KnownSchemas implements SchemaSource {

    private final Map<Long, List<Schema>> byFingerprint;

    KnownSchemas(List<Schema> schemas) {
        this.byFingerprint = schemas.stream().collect(Collectors.groupingBy(SchemaNormalization::parsingFingerprint64));
    }

    @Override
    public List<Schema> byFingerprint(long fingerprint) {
        return byFingerprint.getOrDefault(fingerprint, List.of());
    }

    @Override
    public Optional<Schema> byId(int id) {
        return Optional.empty();
    }
}
