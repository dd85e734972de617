package io.outboxrelay.schemas.rule;

import org.apache.avro.Schema;
import org.apache.avro.SchemaCompatibility;
import org.apache.avro.SchemaCompatibility.SchemaCompatibilityType;
import org.apache.avro.SchemaCompatibility.SchemaPairCompatibility;

/** What Avro says about reading. */
final class Resolution {

    private Resolution() {}

    static boolean reads(Schema reader, Schema written) {
        return pair(reader, written).getType() == SchemaCompatibilityType.COMPATIBLE;
    }

    static String problem(Schema reader, Schema written) {
        return pair(reader, written).getResult().getIncompatibilities().toString();
    }

    private static SchemaPairCompatibility pair(Schema reader, Schema written) {
        return SchemaCompatibility.checkReaderWriterCompatibility(reader, written);
    }
}
