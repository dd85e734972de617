package io.outboxrelay.schemas.rule;

import org.apache.avro.Schema;
import org.apache.avro.SchemaCompatibility;
import org.apache.avro.SchemaCompatibility.SchemaCompatibilityType;
import org.apache.avro.SchemaCompatibility.SchemaPairCompatibility;

/** What Avro says about reading. */
final class Resolution {

    private Resolution() {}

    static boolean reads(Place place, Readers reader) {
        return reads(place.expected(reader), place.written(reader));
    }

    static boolean reads(Schema expected, Schema written) {
        return pair(expected, written).getType() == SchemaCompatibilityType.COMPATIBLE;
    }

    static String problem(Place place, Readers reader) {
        return pair(place.expected(reader), place.written(reader))
                .getResult()
                .getIncompatibilities()
                .toString();
    }

    private static SchemaPairCompatibility pair(Schema expected, Schema written) {
        return SchemaCompatibility.checkReaderWriterCompatibility(expected, written);
    }
}
