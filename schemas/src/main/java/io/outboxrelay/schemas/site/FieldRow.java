package io.outboxrelay.schemas.site;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Collectors;
import org.apache.avro.JsonProperties;
import org.apache.avro.Schema;

/** A field of an event, or of a record in it, as people want to see it. */
record FieldRow(String path, String type, String absent, String doc) {

    static List<FieldRow> of(Schema event) {
        List<FieldRow> rows = new ArrayList<>();
        collect("", event, rows, new HashSet<>());
        return rows;
    }

    private static void collect(String path, Schema schema, List<FieldRow> rows, Set<String> seen) {
        switch (schema.getType()) {
            case RECORD -> {
                if (seen.add(schema.getFullName())) {
                    for (Schema.Field field : schema.getFields()) {
                        String below = path.isEmpty() ? field.name() : path + "." + field.name();
                        rows.add(new FieldRow(
                                below,
                                type(field.schema()),
                                field.hasDefaultValue() ? value(field.defaultVal()) : "must be there",
                                Objects.requireNonNullElse(field.doc(), "")));
                        collect(below, field.schema(), rows, seen);
                    }
                }
            }
            case ARRAY -> collect(path + "[]", schema.getElementType(), rows, seen);
            case MAP -> collect(path + "{}", schema.getValueType(), rows, seen);
            case UNION -> schema.getTypes().forEach(branch -> collect(path, branch, rows, seen));
            default -> {
                // The type says it all.
            }
        }
    }

    private static String type(Schema schema) {
        return switch (schema.getType()) {
            case UNION -> schema.getTypes().stream().map(FieldRow::type).collect(Collectors.joining(" or "));
            case ARRAY -> "list of " + type(schema.getElementType());
            case MAP -> "map of " + type(schema.getValueType());
            case RECORD -> schema.getName();
            case ENUM -> schema.getName() + ": " + String.join(", ", schema.getEnumSymbols());
            default -> logical(schema);
        };
    }

    private static String logical(Schema schema) {
        String bare = schema.getType() == Schema.Type.FIXED
                ? schema.getFixedSize() + " bytes"
                : schema.getType().getName();
        String logical = schema.getProp("logicalType");
        if (logical == null) {
            return bare;
        }
        String digits = logical.equals("decimal")
                ? " (%s digits, %s after the point)"
                        .formatted(
                                schema.getObjectProp("precision"),
                                Objects.requireNonNullElse(schema.getObjectProp("scale"), 0))
                : "";
        return logical + digits + " as " + bare;
    }

    private static String value(Object value) {
        if (value == JsonProperties.NULL_VALUE) {
            return "null";
        }
        if (value instanceof byte[] bytes) {
            return bytes.length + " bytes";
        }
        if (value instanceof List<?> list) {
            return list.stream().map(FieldRow::value).collect(Collectors.joining(", ", "[", "]"));
        }
        if (value instanceof Map<?, ?> map) {
            return map.entrySet().stream()
                    .map(entry -> entry.getKey() + ": " + value(entry.getValue()))
                    .collect(Collectors.joining(", ", "{", "}"));
        }
        return value instanceof String text ? "\"" + text + "\"" : value.toString();
    }
}
