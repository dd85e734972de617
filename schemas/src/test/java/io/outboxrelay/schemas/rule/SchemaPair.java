package io.outboxrelay.schemas.rule;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import org.apache.avro.Schema;

/** One entry of {@code pairs.txt}, where its form is explained. */
record SchemaPair(String name, Schema old, Schema now, List<String> backward, List<String> forward, String because) {

    static List<SchemaPair> all() {
        try (InputStream file = Objects.requireNonNull(SchemaPair.class.getResourceAsStream("pairs.txt"))) {
            String[] entries = new String(file.readAllBytes(), StandardCharsets.UTF_8).split("\n\n+");
            return Arrays.stream(entries)
                    .map(String::strip)
                    .filter(entry -> !entry.startsWith("#"))
                    .map(SchemaPair::parsed)
                    .toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The rules, whether broken with an error or only a warning. */
    static List<String> rules(List<String> expected) {
        return expected.stream().map(rule -> rule.replace("?", "")).sorted().toList();
    }

    static boolean isYes(List<String> expected) {
        return expected.stream().allMatch(rule -> rule.endsWith("?"));
    }

    private static SchemaPair parsed(String entry) {
        List<String> lines = new ArrayList<>(Arrays.asList(entry.split("\n")));
        String name = lines.remove(0);
        Map<String, String> parts = new TreeMap<>();
        lines.forEach(line -> parts.put(
                line.substring(2, 12).strip(),
                line.substring(Math.min(12, line.length())).strip()));
        if (parts.size() != 5 || Objects.requireNonNull(parts.get("because")).isEmpty()) {
            throw new IllegalStateException("pairs.txt is not understood at: " + entry);
        }
        return new SchemaPair(
                name,
                schema(parts.get("old")),
                schema(parts.get("new")),
                expected(parts.get("backward")),
                expected(parts.get("forward")),
                Objects.requireNonNull(parts.get("because")));
    }

    private static List<String> expected(String text) {
        return text.equals("ok") ? List.of() : List.of(text.split(", "));
    }

    private static Schema schema(String text) {
        String[] parts = text.split(" ", 2);
        String given = parts.length == 1 ? "" : parts[1];
        String fields = parts[0].equals("type") ? "{\"name\": \"f\", \"type\": " + given + "}" : given;
        String schema = parts[0].equals("schema")
                ? given
                : "{\"type\": \"record\", \"name\": \"Event\", \"namespace\": \"shop\", \"fields\": [" + fields + "]}";
        return new Schema.Parser().parse(schema);
    }
}
