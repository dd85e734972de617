package io.outboxrelay.schemas.rule;

import io.outboxrelay.schemas.contract.ContractVersion;
import io.outboxrelay.schemas.contract.NamedTypes;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.apache.avro.Schema;
import org.jspecify.annotations.Nullable;

/** What can be said of one version by itself: whether people, and generated classes, can do with it. */
final class Description {

    private final ContractVersion version;
    private final List<Finding> findings = new ArrayList<>();

    private Description(ContractVersion version) {
        this.version = version;
    }

    static List<Finding> findings(ContractVersion version) {
        Description description = new Description(version);
        if (version.schema().getNamespace() == null) {
            description.found(Rule.NAMESPACE_MISSING, version.schema().getName(), "The record has no namespace.");
        }
        NamedTypes.of(version.schema()).values().forEach(description::type);
        return description.findings;
    }

    private void type(Schema type) {
        if (isBlank(type.getDoc())) {
            found(Rule.DOC_MISSING, type.getName(), "The type " + type.getName() + " has no \"doc\".");
        }
        switch (type.getType()) {
            case RECORD -> fields(type);
            case ENUM -> {
                if (type.getEnumDefault() == null) {
                    found(Rule.ENUM_WITHOUT_DEFAULT, type.getName(), "The enum has no default.");
                }
            }
            default -> logicalType(type.getName(), type);
        }
    }

    private void fields(Schema record) {
        Map<String, String> alike = new HashMap<>();
        for (Schema.Field field : record.getFields()) {
            String path = record.getName() + "." + field.name();
            if (isBlank(field.doc())) {
                found(Rule.DOC_MISSING, path, "The field " + field.name() + " has no \"doc\".");
            }
            String other = alike.put(field.name().replace("_", "").toLowerCase(Locale.ROOT), field.name());
            if (other != null) {
                found(
                        Rule.NAMES_ALIKE,
                        path,
                        field.name() + " and " + other + " get the same name in generated classes.");
            }
            unnamed(path, field.schema());
        }
    }

    private void unnamed(String path, Schema schema) {
        switch (schema.getType()) {
            case RECORD, ENUM, FIXED -> {
                // Looked at by itself.
            }
            case ARRAY -> unnamed(path + "[]", schema.getElementType());
            case MAP -> unnamed(path + "{}", schema.getValueType());
            case UNION -> schema.getTypes().forEach(branch -> unnamed(path, branch));
            default -> logicalType(path, schema);
        }
    }

    private void logicalType(String path, Schema schema) {
        String name = schema.getProp("logicalType");
        if (name != null && schema.getLogicalType() == null) {
            found(
                    Rule.LOGICAL_TYPE_IGNORED,
                    path,
                    SchemaText.of(schema)
                            + " is not a logical type that Avro supports: its name is unknown, its underlying type is"
                            + " wrong, or its digits are invalid.");
        }
    }

    private void found(Rule rule, String path, String problem) {
        findings.add(Finding.single(rule, version.origin(), path, problem));
    }

    private static boolean isBlank(@Nullable String text) {
        return text == null || text.isBlank();
    }
}
