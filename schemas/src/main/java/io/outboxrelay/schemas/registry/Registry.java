package io.outboxrelay.schemas.registry;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.outboxrelay.schemas.contract.Compatibility;
import io.outboxrelay.schemas.contract.SchemaIdentity;
import io.outboxrelay.schemas.registry.RegistryException.Kind;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.StreamSupport;
import org.apache.avro.AvroRuntimeException;
import org.apache.avro.Schema;

/**
 * A schema registry. Safe for use by many threads. Every method may throw a {@link RegistryException}; those that
 * answer from memory say so.
 */
public final class Registry {

    /** Of references of references. */
    private static final int DEEPEST_REFERENCE = 16;

    /** More than any schema refers to. */
    private static final int MOST_REFERENCES = 1_000;

    private final RegistrySettings settings;
    private final RegistryHttp http;
    private final Remembered<Version, RegisteredSchema> versions;
    private final Remembered<Integer, Schema> ids;

    private record Version(String subject, int number) {}

    /**
     * A client; nothing is asked yet.
     *
     * @param settings where the registry is and how it is asked
     * @throws IllegalArgumentException if the certificates to trust cannot be read
     */
    public Registry(RegistrySettings settings) {
        this.settings = settings;
        this.http = new RegistryHttp(settings);
        this.versions = new Remembered<>(settings.remembered());
        this.ids = new Remembered<>(settings.remembered());
    }

    /** Asks something that costs it nothing, to see whether it answers and accepts who asks. */
    public void check() {
        http.get("/config", "Checking whether it answers");
    }

    /** Returns the names of all subjects, in alphabetical order. */
    public List<String> subjects() {
        String what = "The subjects";
        JsonNode answer = array(http.get("/subjects", what), what);
        return StreamSupport.stream(answer.spliterator(), false)
                .map(JsonNode::asText)
                .sorted()
                .toList();
    }

    /**
     * Returns the numbers of a subject's versions.
     *
     * @param subject its name
     * @return them, ascending; empty when there is no such subject
     */
    public List<Integer> versions(String subject) {
        String what = "The versions of subject " + subject;
        try {
            JsonNode answer = array(http.get("/subjects/" + RegistryHttp.part(subject) + "/versions", what), what);
            return StreamSupport.stream(answer.spliterator(), false)
                    .map(JsonNode::asInt)
                    .sorted()
                    .toList();
        } catch (RegistryException e) {
            if (e.kind() == Kind.MISSING) {
                return List.of();
            }
            throw e;
        }
    }

    /**
     * Returns one version of a subject; from memory when it was read before.
     *
     * @param subject its name
     * @param number its number
     * @return the version
     */
    public RegisteredSchema version(String subject, int number) {
        RegisteredSchema known = versions.get(new Version(subject, number));
        if (known != null) {
            return known;
        }
        String what = "Subject " + subject + " version " + number;
        JsonNode answer = http.get("/subjects/" + RegistryHttp.part(subject) + "/versions/" + number, what);
        RegisteredSchema read =
                new RegisteredSchema(subject, number, answer.path("id").asInt(), parse(answer, what));
        versions.put(new Version(subject, number), read);
        return read;
    }

    /**
     * Returns all versions of a subject; their list is asked for, what was read before comes from memory.
     *
     * @param subject its name
     * @return them, the oldest first; empty when there is no such subject
     */
    public List<RegisteredSchema> allVersions(String subject) {
        return versions(subject).stream()
                .map(number -> version(subject, number))
                .toList();
    }

    /**
     * Returns the schema of an id; from memory when it was read before.
     *
     * @param id the number that the registry gave it
     * @return the schema; empty when there is none
     */
    public Optional<Schema> byId(int id) {
        Schema known = ids.get(id);
        if (known != null) {
            return Optional.of(known);
        }
        String what = "The schema of id " + id;
        try {
            Schema read = parse(http.get("/schemas/ids/" + id, what), what);
            ids.put(id, read);
            return Optional.of(read);
        } catch (RegistryException e) {
            if (e.kind() == Kind.MISSING) {
                return Optional.empty();
            }
            throw e;
        }
    }

    /**
     * Finds the version of a subject that has exactly this schema, however the registry writes it.
     *
     * @param subject the subject's name
     * @param schema any schema
     * @return the version; empty when there is none
     */
    public Optional<RegisteredSchema> find(String subject, Schema schema) {
        SchemaIdentity identity = SchemaIdentity.of(schema);
        List<Integer> numbers = new ArrayList<>(versions(subject));
        Collections.reverse(numbers); // the newest is asked for most
        return numbers.stream()
                .map(number -> version(subject, number))
                .filter(version -> version.identity().equals(identity))
                .findFirst();
    }

    /**
     * Returns what a subject promises: its own setting, or the registry's.
     *
     * @param subject its name
     */
    public Compatibility compatibility(String subject) {
        String what = "The compatibility of subject " + subject;
        JsonNode answer;
        try {
            answer = http.get("/config/" + RegistryHttp.part(subject), what);
        } catch (RegistryException e) {
            if (e.kind() != Kind.MISSING) {
                throw e;
            }
            answer = http.get("/config", "The registry's compatibility");
        }
        String level = answer.path("compatibilityLevel").asText();
        return Arrays.stream(Compatibility.values())
                .filter(known -> known.name().equals(level))
                .findFirst()
                .orElseThrow(() -> http.refused(what, "it says '" + level + "', which is no compatibility"));
    }

    /**
     * Sets what a subject promises. Some registries keep this only for subjects that have a version.
     *
     * @param subject its name
     * @param compatibility what holds for versions to come
     */
    public void setCompatibility(String subject, Compatibility compatibility) {
        http.put(
                "/config/" + RegistryHttp.part(subject),
                JsonNodeFactory.instance.objectNode().put("compatibility", compatibility.name()),
                "Setting the compatibility of subject " + subject);
    }

    /**
     * Asks whether the registry would take a schema as the next version of a subject.
     *
     * @param subject its name; one that does not exist takes any
     * @param schema the version to come
     * @return the registry's verdict
     */
    public Verdict test(String subject, Schema schema) {
        String what = "Testing a schema for subject " + subject;
        if (versions(subject).isEmpty()) {
            return new Verdict(true, "the subject has no version yet");
        }
        JsonNode answer = http.post(
                "/compatibility/subjects/" + RegistryHttp.part(subject) + "/versions?verbose=true", body(schema), what);
        if (!answer.path("is_compatible").isBoolean()) {
            throw http.refused(what, "its answer does not say whether it is compatible");
        }
        JsonNode messages = answer.path("messages");
        String reason = messages.isArray() && !messages.isEmpty()
                ? String.join(
                        "; ",
                        StreamSupport.stream(messages.spliterator(), false)
                                .map(JsonNode::asText)
                                .toList())
                : answer.path("reason").asText("");
        return new Verdict(answer.get("is_compatible").asBoolean(), reason);
    }

    /**
     * What a registry says about a schema.
     *
     * @param compatible whether it would take it
     * @param reason the registry's words; some have none
     */
    public record Verdict(boolean compatible, String reason) {}

    /**
     * Makes a schema the next version of a subject, unless it is one of its versions already.
     *
     * @param subject its name; made when it does not exist
     * @param schema stands by itself
     * @return the version that has exactly this schema
     * @throws RegistryException of kind {@link Kind#INCOMPATIBLE} when the registry does not take it
     */
    public RegisteredSchema register(String subject, Schema schema) {
        Optional<RegisteredSchema> before = find(subject, schema);
        if (before.isPresent()) {
            return before.get();
        }
        String what = "Registering a version of subject " + subject;
        http.post("/subjects/" + RegistryHttp.part(subject) + "/versions", body(schema), what);
        return find(subject, schema)
                .orElseThrow(() -> http.refused(
                        what,
                        "it accepted the schema and has no version with the identity " + SchemaIdentity.of(schema)
                                + " afterwards: it takes the schema for the same as another one, or has changed it"));
    }

    /** Where it is, for people; without credentials. */
    @Override
    public String toString() {
        return settings.url().toString();
    }

    private static ObjectNode body(Schema schema) {
        return JsonNodeFactory.instance
                .objectNode()
                .put("schema", schema.toString())
                .put("schemaType", "AVRO");
    }

    private JsonNode array(JsonNode answer, String what) {
        if (!answer.isArray()) {
            throw http.refused(what, "its answer is not a list");
        }
        return answer;
    }

    private Schema parse(JsonNode answer, String what) {
        String type = answer.path("schemaType").asText("AVRO");
        if (!type.equals("AVRO")) {
            throw http.refused(what, "it is of type " + type + " and not Avro");
        }
        Schema.Parser parser = new Schema.Parser();
        addReferences(parser, answer, what, 0, new HashSet<>());
        try {
            return parser.parse(answer.path("schema").asText());
        } catch (AvroRuntimeException | StackOverflowError e) {
            throw http.refused(what, "what it holds is not a schema: " + e.getMessage());
        }
    }

    /** Names that the schema uses and that are versions of other subjects; one that several refer to is added once. */
    private void addReferences(Schema.Parser parser, JsonNode answer, String what, int depth, Set<Version> added) {
        if (depth > DEEPEST_REFERENCE) {
            throw http.refused(what, "its references refer to each other more than " + DEEPEST_REFERENCE + " deep");
        }
        for (JsonNode reference : answer.path("references")) {
            String subject = reference.path("subject").asText();
            int version = reference.path("version").asInt();
            if (!added.add(new Version(subject, version))) {
                continue;
            }
            if (added.size() > MOST_REFERENCES) {
                throw http.refused(what, "it refers to more than " + MOST_REFERENCES + " versions of other subjects");
            }
            String of = what + ", which refers to " + subject + " version " + version;
            JsonNode referred = http.get("/subjects/" + RegistryHttp.part(subject) + "/versions/" + version, of);
            addReferences(parser, referred, of, depth + 1, added);
            try {
                parser.parse(referred.path("schema").asText());
            } catch (AvroRuntimeException | StackOverflowError e) {
                throw http.refused(of, "what it holds is not a schema: " + e.getMessage());
            }
        }
    }
}
