package io.outboxrelay.schemas.rule;

import java.util.Objects;
import org.apache.avro.AvroRuntimeException;
import org.apache.avro.Schema;
import org.apache.avro.SchemaCompatibility;
import org.apache.avro.SchemaCompatibility.SchemaCompatibilityResult;
import org.apache.avro.SchemaCompatibility.SchemaCompatibilityType;
import org.jspecify.annotations.Nullable;

/** What Avro says about reading. */
final class Resolution {

    private Resolution() {}

    static boolean reads(Place place, Readers reader) {
        return reads(place.expected(reader), place.written(reader));
    }

    static boolean reads(Schema expected, Schema written) {
        return refusal(expected, written) == null;
    }

    static String problem(Place place, Readers reader) {
        return Objects.requireNonNullElse(refusal(place.expected(reader), place.written(reader)), "");
    }

    /** Why not; null if it can be read. Of aliases that it cannot follow, Avro says so by an exception. */
    private static @Nullable String refusal(Schema expected, Schema written) {
        try {
            SchemaCompatibilityResult result = SchemaCompatibility.checkReaderWriterCompatibility(expected, written)
                    .getResult();
            return result.getCompatibility() == SchemaCompatibilityType.COMPATIBLE
                    ? null
                    : result.getIncompatibilities().toString();
        } catch (AvroRuntimeException e) {
            return String.valueOf(e.getMessage());
        }
    }
}
