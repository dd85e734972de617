package io.outboxrelay.samples.storefront;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.springframework.core.io.ClassPathResource;

/** The page's links to patterns and code lead somewhere. */
class PatternsTest {

    private static final Path SERVICES = Path.of("..");

    @Test
    void each_pattern_is_a_heading_of_the_served_readme_and_each_class_a_file() throws IOException {
        String readme = served("README.md");
        String script = served("patterns.js");

        assertThat(readme).isEqualTo(Files.readString(SERVICES.resolve("README.md")));
        List<String> headings = all(script, ": \\[\"([^\"]+)\", \"");
        assertThat(headings).hasSizeGreaterThan(5);
        assertThat(all(readme, "(?m)^#{2,3} (.+)$")).containsAll(headings);
        assertThat(all(script, "\"([^\"]+\\.java)\""))
                .hasSameSizeAs(headings)
                .allSatisfy(file -> assertThat(SERVICES.resolve(file)).isRegularFile());
    }

    @Test
    void each_step_names_a_pattern() throws IOException {
        List<String> patterns = all(served("patterns.js"), "(?m)^  (\\w+): \\[");

        assertThat(patterns)
                .containsAll(all(served("saga.js"), "(?m)^  \\w+: \\[\"[^\"]+\", \"[a-z]*\", \"(\\w+)\"\\]"))
                .containsAll(all(served("index.html"), "data-pattern=\"(\\w+)\""));
    }

    private static List<String> all(String text, String pattern) {
        List<String> found = Pattern.compile(pattern)
                .matcher(text)
                .results()
                .map(result -> result.group(1))
                .toList();
        assertThat(found).as(pattern).isNotEmpty();
        return found;
    }

    private static String served(String file) throws IOException {
        return new ClassPathResource("static/" + file).getContentAsString(StandardCharsets.UTF_8);
    }
}
