package io.outboxrelay.schemas.rule;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.node.TextNode;
import org.apache.avro.Schema;

/** How a piece of a schema is shown: as JSON without documentation, and without what is inside of other records. */
final class SchemaText {

    private static final JsonMapper JSON = new JsonMapper();

    private SchemaText() {}

    static String of(Schema schema) {
        JsonNode tree = tree(schema);
        if (tree instanceof ObjectNode object) {
            object.remove("fields");
        }
        return brief(tree).toString();
    }

    static String of(Schema record, Schema.Field field) {
        return brief(tree(record).get("fields").get(field.pos())).toString();
    }

    private static JsonNode tree(Schema schema) {
        try {
            return JSON.readTree(schema.toString());
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("Avro wrote what is not JSON: " + schema.getFullName(), e);
        }
    }

    private static JsonNode brief(JsonNode tree) {
        if (tree instanceof ObjectNode object) {
            if (object.has("fields")) {
                return TextNode.valueOf(object.get("name").asText());
            }
            object.remove("doc");
            object.properties().forEach(entry -> entry.setValue(brief(entry.getValue())));
        } else if (tree instanceof ArrayNode array) {
            for (int i = 0; i < array.size(); i++) {
                array.set(i, brief(array.get(i)));
            }
        }
        return tree;
    }
}
