package io.outboxrelay.spring;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** The page about the starter, compared with what the starter says of itself. */
class SpringBootPageTest {

    /** A row of the table of properties: name, default, meaning. */
    private static final Pattern PROPERTY = Pattern.compile("(?m)^\\| `(outbox\\.[a-z.-]+)` \\| (.*?) \\| .+ \\|$");

    /** A row of the table of meters: name, tags, meaning. */
    private static final Pattern METER = Pattern.compile("(?m)^\\| `(outbox\\.[a-z.]+)` \\|");

    private static String page() throws IOException {
        return Files.readString(Path.of("../docs/spring-boot.md"));
    }

    private static JsonNode metadata() throws IOException {
        return new JsonMapper()
                .readTree(Files.readString(Path.of("target/classes/META-INF/spring-configuration-metadata.json")));
    }

    @Test
    void the_page_has_every_property_with_its_default() throws IOException {
        Map<String, String> described = PROPERTY.matcher(section("## Properties"))
                .results()
                .collect(Collectors.toMap(
                        row -> row.group(1),
                        row -> row.group(2).replace("`", ""),
                        (one, other) -> other,
                        TreeMap::new));

        Map<String, String> generated = new TreeMap<>();
        for (JsonNode property : metadata().get("properties")) {
            JsonNode value = property.get("defaultValue");
            generated.put(property.get("name").asString(), value == null ? "" : value.asString());
        }

        assertThat(described).isEqualTo(generated);
    }

    @Test
    void the_code_on_the_page_is_that_of_the_tests() throws IOException {
        StringBuilder tests = new StringBuilder();
        for (String file : new String[] {"Orders.java", "ApplicationTest.java"}) {
            tests.append(squeezed(Files.readString(Path.of("src/test/java/io/outboxrelay/spring", file))));
        }
        assertThat(Pattern.compile("(?s)```java\n(.*?)```").matcher(page()).results())
                .hasSize(2)
                .allSatisfy(block -> assertThat(tests).contains(squeezed(block.group(1))));
    }

    private static String squeezed(String code) {
        return code.replaceAll("\\s+", " ").strip();
    }

    @Test
    void every_hint_is_about_a_property() throws IOException {
        JsonNode metadata = metadata();
        assertThat(metadata.get("hints"))
                .isNotEmpty()
                .allSatisfy(hint -> assertThat(metadata.get("properties"))
                        .extracting(property -> property.get("name").asString())
                        .contains(hint.get("name").asString()));
    }

    @Test
    void the_page_has_every_meter() throws IOException {
        String classes = "src/main/java/io/outboxrelay/spring/";
        String code = Files.readString(Path.of(classes + "OutboxMeters.java"))
                + Files.readString(Path.of(classes + "MetersAutoConfiguration.java"))
                + Files.readString(Path.of(classes + "ConsumerMeters.java"))
                        .replaceAll("count\\(\\s+same,\\s+\"", "(\"outbox.consumer.");

        assertThat(METER.matcher(section("## Meters")).results().map(row -> row.group(1)))
                .containsExactlyInAnyOrderElementsOf(Pattern.compile("\"(outbox\\.[a-z.]*[a-z])\"")
                        .matcher(code)
                        .results()
                        .map((MatchResult name) -> name.group(1))
                        .filter(name -> !name.startsWith("outbox.metrics.")) // a property
                        .collect(Collectors.toSet()));
    }

    private static String section(String title) throws IOException {
        String page = page();
        int begin = page.indexOf(title);
        assertThat(begin).as(title).isNotNegative();
        int end = page.indexOf("\n## ", begin + 1);
        return page.substring(begin, end < 0 ? page.length() : end);
    }
}
