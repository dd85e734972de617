package io.outboxrelay.schemas.contract;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;
import org.apache.avro.AvroRuntimeException;
import org.apache.avro.Schema;
import org.jspecify.annotations.Nullable;

/** Makes schemas of the files of a tree, each with what it uses of the shared types. */
final class SchemaFiles {

    static final String SHARED = "shared";

    private static final String USES = "uses";
    private static final Pattern USED = Pattern.compile("[a-z0-9][a-z0-9.-]*/v[1-9][0-9]*");
    private static final JsonMapper JSON = JsonMapper.builder()
            .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .build();

    private final ContractTree tree;
    private final List<ContractFault> faults;
    private final Map<String, Optional<SchemaFile>> files = new HashMap<>();

    SchemaFiles(ContractTree tree, List<ContractFault> faults) {
        this.tree = tree;
        this.faults = faults;
    }

    /** One file; {@code json} is without the list of what it uses, which Avro does not know. */
    private record SchemaFile(String name, String json, List<String> uses) {}

    /** A schema that stands by itself; empty if that cannot be, and then there is a fault. */
    Optional<Schema> read(String name) {
        Map<String, SchemaFile> needed = new LinkedHashMap<>();
        return collect(name, needed, List.of()) ? parsed(name, needed.values()) : Optional.empty();
    }

    boolean hasRead(String name) {
        return files.containsKey(name);
    }

    /** Looks at the shared types that no contract uses yet. */
    void readUnused() {
        for (String name : tree.names()) {
            if (name.startsWith(SHARED + "/")
                    && !hasRead(name)
                    && USED.matcher(name.substring(SHARED.length() + 1, name.length() - ".avsc".length()))
                            .matches()) {
                read(name);
            }
        }
    }

    /** Puts what a file uses before it, each once; false if something is missing. */
    private boolean collect(String name, Map<String, SchemaFile> needed, List<String> usedBy) {
        if (usedBy.contains(name)) {
            fault(name, "It uses itself: " + String.join(", ", usedBy) + ".");
            return false;
        }
        Optional<SchemaFile> file = files.computeIfAbsent(name, this::file);
        if (file.isEmpty()) {
            return false;
        }
        List<String> path = new ArrayList<>(usedBy);
        path.add(name);
        boolean complete = true;
        for (String used : file.get().uses()) {
            String shared = SHARED + "/" + used + ".avsc";
            if (tree.text().apply(shared).isEmpty()) {
                fault(
                        name,
                        "It uses " + used + ", and there is no file " + shared + "."
                                + NearMiss.of(shared, tree.names()));
                complete = false;
            } else {
                complete &= needed.containsKey(shared) || collect(shared, needed, path);
            }
        }
        needed.put(name, file.get());
        return complete;
    }

    private Optional<SchemaFile> file(String name) {
        try {
            JsonNode json = JSON.readTree(tree.text().apply(name).orElseThrow());
            if (!(json instanceof ObjectNode schema)) {
                fault(name, "A schema is a JSON object.");
                return Optional.empty();
            }
            List<String> uses = uses(name, schema.remove(USES));
            return Optional.of(new SchemaFile(name, JSON.writeValueAsString(schema), uses));
        } catch (JsonProcessingException e) {
            String line = e.getLocation() == null
                    ? ""
                    : " near line " + e.getLocation().getLineNr();
            fault(name, "This is not JSON" + line + ": " + e.getOriginalMessage());
            return Optional.empty();
        }
    }

    private List<String> uses(String name, @Nullable JsonNode given) {
        List<String> uses = new ArrayList<>();
        if (given != null && !given.isArray()) {
            fault(name, "\"uses\" is a list: [\"money/v1\"].");
        } else if (given != null) {
            for (JsonNode each : given) {
                if (USED.matcher(each.asText()).matches()) {
                    uses.add(each.asText());
                } else {
                    fault(name, "\"uses\" has " + each + ". It names files below shared/, such as \"money/v1\".");
                }
            }
        }
        return uses;
    }

    private Optional<Schema> parsed(String name, Iterable<SchemaFile> needed) {
        Schema.Parser parser = new Schema.Parser();
        Map<String, String> definedBy = new HashMap<>();
        Schema last = null;
        for (SchemaFile file : needed) {
            try {
                last = parser.parse(file.json());
            } catch (AvroRuntimeException e) {
                fault(name, problem(e, file, name, definedBy));
                return Optional.empty();
            }
            definedBy.put(last.getFullName(), file.name());
        }
        Schema schema = Objects.requireNonNull(last);
        return allUsed(name, schema, definedBy) ? Optional.of(schema) : Optional.empty();
    }

    private boolean allUsed(String name, Schema schema, Map<String, String> definedBy) {
        Set<String> named = NamedTypes.of(schema).keySet();
        boolean all = true;
        for (Map.Entry<String, String> each : definedBy.entrySet()) {
            if (!named.contains(each.getKey())) {
                fault(
                        name,
                        "It uses " + each.getValue() + " and names " + each.getKey()
                                + " nowhere. Leave it out of \"uses\".");
                all = false;
            }
        }
        return all;
    }

    private static String problem(
            AvroRuntimeException failure, SchemaFile file, String name, Map<String, String> definedBy) {
        String message = String.valueOf(failure.getMessage());
        String where = file.name().equals(name) ? "" : "What it uses, " + file.name() + ", is wrong: ";
        String hint = "";
        if (message.contains("Undefined") || message.contains("undefined")) {
            hint = " A shared type is found if \"uses\" names its file.";
        }
        if (message.contains("redefine")) {
            hint = " Shared types come from " + definedBy.values() + "; two versions of one cannot be used together.";
        }
        return where + message + "." + hint;
    }

    private void fault(String name, String problem) {
        faults.add(new ContractFault(tree.place(name), problem));
    }
}
