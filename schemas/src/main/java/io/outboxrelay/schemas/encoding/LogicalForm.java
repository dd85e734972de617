package io.outboxrelay.schemas.encoding;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.apache.avro.LogicalType;
import org.apache.avro.Schema;

/**
 * The logical types of a schema in the order of its fields: what its fingerprint leaves out and its reader cannot do
 * without.
 */
public final class LogicalForm {

    private final Set<String> seen = new HashSet<>();
    private final List<String> types = new ArrayList<>();

    private LogicalForm() {}

    /**
     * Describes a schema.
     *
     * @param schema any schema
     * @return the same list for two schemas of one fingerprint exactly when their data mean the same
     */
    public static List<String> of(Schema schema) {
        LogicalForm form = new LogicalForm();
        form.add(schema);
        return form.types;
    }

    private void add(Schema schema) {
        LogicalType logical = schema.getLogicalType();
        types.add(
                logical == null
                        ? ""
                        : logical.getName() + " " + schema.getObjectProp("precision") + " "
                                + schema.getObjectProp("scale"));
        switch (schema.getType()) {
            case RECORD -> {
                if (seen.add(schema.getFullName())) {
                    schema.getFields().forEach(field -> add(field.schema()));
                }
            }
            case ARRAY -> add(schema.getElementType());
            case MAP -> add(schema.getValueType());
            case UNION -> schema.getTypes().forEach(this::add);
            default -> {
                // has nothing inside
            }
        }
    }
}
