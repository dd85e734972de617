package io.outboxrelay.relay.lane;

import static org.assertj.core.api.Assertions.assertThat;

import io.outboxrelay.relay.lane.Outcome.Reason;
import java.io.IOException;
import java.lang.reflect.Field;
import java.lang.reflect.Modifier;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.slf4j.Marker;

/** Keeps {@code docs/troubleshooting.md} complete: a message never leads to a section that does not exist. */
class HelpTest {

    private static final Path PAGE = Path.of("..", "docs", "troubleshooting.md");
    private static final Path SOURCES = Path.of("src", "main", "java");

    /** The call, and the start of its first argument. */
    private static final Pattern COMPLAINT =
            Pattern.compile("(?i:LOG)(?:::(?:warn|error)\\b|\\.(?:(?:warn|error)\\(\\s*+(?!help\\b|Help\\.)"
                    + "|at(?:Warn|Error)\\(\\)(?!\\s*+\\.addMarker\\()))[^;]{0,80}");

    @Test
    void every_topic_has_a_section_and_every_section_a_topic() throws Exception {
        Set<String> topics = new TreeSet<>();
        for (Field field : Help.class.getDeclaredFields()) {
            if (Modifier.isPublic(field.getModifiers())) {
                topics.add(((Marker) field.get(null)).getName());
            }
        }
        Stream.of(Reason.values()).map(Help::about).map(Marker::getName).forEach(topics::add);

        assertThat(sections().stream().map(section -> section.split("\\R", 2)[0]))
                .containsExactlyInAnyOrderElementsOf(topics);
    }

    @Test
    void every_section_says_what_one_sees_what_it_means_what_to_do_and_what_to_check() throws IOException {
        assertThat(sections())
                .allSatisfy(section -> assertThat(section)
                        .contains("* **You see** ", "* **It means** ", "* **Do this**: ", "* **Check that** "));
    }

    @Test
    void every_warning_and_every_error_leads_to_a_section() throws IOException {
        Set<String> without = new TreeSet<>();
        try (Stream<Path> files = Files.walk(SOURCES)) {
            for (Path file :
                    files.filter(path -> path.toString().endsWith(".java")).toList()) {
                COMPLAINT
                        .matcher(Files.readString(file))
                        .results()
                        .forEach(call -> without.add(file.getFileName() + ": " + call.group()));
            }
        }
        assertThat(without).isEmpty();
    }

    private static List<String> sections() throws IOException {
        return Stream.of(Files.readString(PAGE).split("(?m)^### "))
                .skip(1)
                .map(section -> section.split("(?m)^## ", 2)[0])
                .collect(Collectors.toList());
    }
}
