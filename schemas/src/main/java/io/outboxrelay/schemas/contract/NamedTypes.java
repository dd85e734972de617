package io.outboxrelay.schemas.contract;

import java.util.LinkedHashMap;
import java.util.Map;
import org.apache.avro.Schema;

/** The records, enums and fixed types that a schema consists of. */
public final class NamedTypes {

    private NamedTypes() {}

    /**
     * Finds the named types of a schema, itself among them.
     *
     * @param schema any schema
     * @return by full name, in the order in which they come
     */
    public static Map<String, Schema> of(Schema schema) {
        Map<String, Schema> found = new LinkedHashMap<>();
        collect(schema, found);
        return found;
    }

    private static void collect(Schema schema, Map<String, Schema> found) {
        switch (schema.getType()) {
            case RECORD -> {
                if (found.putIfAbsent(schema.getFullName(), schema) == null) {
                    schema.getFields().forEach(field -> collect(field.schema(), found));
                }
            }
            case ENUM, FIXED -> found.putIfAbsent(schema.getFullName(), schema);
            case ARRAY -> collect(schema.getElementType(), found);
            case MAP -> collect(schema.getValueType(), found);
            case UNION -> schema.getTypes().forEach(branch -> collect(branch, found));
            default -> {
                // A primitive type has no name.
            }
        }
    }
}
