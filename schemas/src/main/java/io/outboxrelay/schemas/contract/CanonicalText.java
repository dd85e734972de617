package io.outboxrelay.schemas.contract;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.NullNode;
import java.nio.charset.StandardCharsets;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.apache.avro.JsonProperties;
import org.apache.avro.Schema;

/**
 * The text that a schema's identity is made from: JSON without white space, attributes in alphabetical order, full
 * names everywhere, a named type written out where it comes first, aliases sorted, defaults as their types say (so that
 * {@code 1} and {@code 1.0} of a double are the same).
 */
final class CanonicalText {

    private static final JsonMapper JSON = JsonMapper.builder()
            .enable(SerializationFeature.ORDER_MAP_ENTRIES_BY_KEYS)
            .build();

    /** What the generator of Java classes adds to the schemas that it puts into them. */
    private static final String STRING_CLASS = "avro.java.string";

    private final Set<String> written = new HashSet<>();

    private CanonicalText() {}

    static String of(Schema schema) {
        try {
            return JSON.writeValueAsString(new CanonicalText().tree(schema));
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("A schema cannot be written: " + schema.getFullName(), e);
        }
    }

    private Object tree(Schema schema) {
        return switch (schema.getType()) {
            case UNION -> schema.getTypes().stream().map(this::tree).toList();
            case RECORD, ENUM, FIXED -> written.add(schema.getFullName()) ? named(schema) : schema.getFullName();
            default -> unnamed(schema);
        };
    }

    private Object named(Schema schema) {
        Map<String, Object> tree = attributes(schema);
        tree.put("type", schema.getType().getName());
        tree.put("name", schema.getFullName());
        if (!schema.getAliases().isEmpty()) {
            tree.put("aliases", new TreeSet<>(schema.getAliases()));
        }
        switch (schema.getType()) {
            case RECORD ->
                tree.put("fields", schema.getFields().stream().map(this::field).toList());
            case ENUM -> {
                tree.put("symbols", schema.getEnumSymbols());
                if (schema.getEnumDefault() != null) {
                    tree.put("default", schema.getEnumDefault());
                }
            }
            default -> tree.put("size", schema.getFixedSize());
        }
        return tree;
    }

    private Object field(Schema.Field field) {
        Map<String, Object> tree = attributes(field);
        tree.put("name", field.name());
        tree.put("type", tree(field.schema()));
        if (!field.aliases().isEmpty()) {
            tree.put("aliases", new TreeSet<>(field.aliases()));
        }
        if (field.order() != Schema.Field.Order.ASCENDING) {
            tree.put("order", field.order().name());
        }
        if (field.hasDefaultValue()) {
            tree.put("default", plain(field.defaultVal()));
        }
        return tree;
    }

    private Object unnamed(Schema schema) {
        Map<String, Object> tree = attributes(schema);
        switch (schema.getType()) {
            case ARRAY -> tree.put("items", tree(schema.getElementType()));
            case MAP -> tree.put("values", tree(schema.getValueType()));
            default -> {
                if (tree.isEmpty()) {
                    return schema.getType().getName();
                }
            }
        }
        tree.put("type", schema.getType().getName());
        return tree;
    }

    private static Map<String, Object> attributes(JsonProperties schema) {
        Map<String, Object> attributes = new TreeMap<>();
        schema.getObjectProps().forEach((name, value) -> {
            if (!name.equals(STRING_CLASS)) {
                attributes.put(name, plain(value));
            }
        });
        return attributes;
    }

    private static Object plain(Object value) {
        if (value == JsonProperties.NULL_VALUE) {
            return NullNode.getInstance();
        }
        if (value instanceof byte[] bytes) {
            return new String(bytes, StandardCharsets.ISO_8859_1);
        }
        if (value instanceof List<?> list) {
            return list.stream().map(CanonicalText::plain).toList();
        }
        if (value instanceof Map<?, ?> map) {
            Map<String, Object> sorted = new TreeMap<>();
            map.forEach((key, each) -> sorted.put(String.valueOf(key), plain(each)));
            return sorted;
        }
        return value;
    }
}
