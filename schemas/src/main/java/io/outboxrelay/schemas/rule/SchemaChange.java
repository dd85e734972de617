package io.outboxrelay.schemas.rule;

import io.outboxrelay.schemas.contract.SchemaIdentity;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.avro.Schema;
import org.jspecify.annotations.Nullable;

/**
 * A place in which two schemas differ, whether any rule minds or not.
 *
 * @param path inside the schema
 * @param before how the place was, as JSON; null if it was not there
 * @param after how it is; null if it is there no more
 */
public record SchemaChange(
        String path, @Nullable String before, @Nullable String after) {

    /**
     * Finds all places in which two schemas differ. Words do not count.
     *
     * @param before one schema
     * @param after the other
     * @return the places in the order of the second; empty exactly if both are the same
     */
    public static List<SchemaChange> between(Schema before, Schema after) {
        Map<String, String> was = new Outline(before).places;
        Map<String, String> is = new Outline(after).places;
        Set<String> paths = new LinkedHashSet<>(is.keySet());
        paths.addAll(was.keySet());
        List<SchemaChange> changes = new ArrayList<>();
        for (String path : paths) {
            if (was.get(path) == null || !was.get(path).equals(is.get(path))) {
                changes.add(new SchemaChange(path.strip(), was.get(path), is.get(path)));
            }
        }
        boolean same = SchemaIdentity.of(before).equals(SchemaIdentity.of(after));
        if (changes.isEmpty() && !same) {
            changes.add(new SchemaChange(after.getName(), SchemaText.of(before), SchemaText.of(after)));
        }
        return same ? List.of() : changes;
    }

    /** Every record and field of a schema by its path, each with its own text. */
    private static final class Outline {

        private final Map<String, String> places = new LinkedHashMap<>();
        private final Set<String> seen = new HashSet<>();

        Outline(Schema schema) {
            add(schema.getName(), schema);
        }

        private void add(String path, Schema schema) {
            switch (schema.getType()) {
                case RECORD -> record(path, schema);
                case ARRAY -> add(path + "[]", schema.getElementType());
                case MAP -> add(path + "{}", schema.getValueType());
                case UNION ->
                    schema.getTypes()
                            .forEach(branch -> add(
                                    UnionBranches.isChoice(schema) ? path + "(" + branch.getName() + ")" : path,
                                    branch));
                default -> {
                    // It stands in the text of its field.
                }
            }
        }

        private void record(String path, Schema schema) {
            if (seen.add(schema.getFullName())) {
                // With a space, for the field that has this record stands at the same path.
                places.put(path + " ", SchemaText.of(schema));
                for (Schema.Field field : schema.getFields()) {
                    places.put(path + "." + field.name(), SchemaText.of(schema, field));
                    add(path + "." + field.name(), field.schema());
                }
            }
        }
    }
}
