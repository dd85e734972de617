package io.outboxrelay.relay.stories;

import static java.util.stream.Collectors.toMap;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Keeps {@code docs/hazards.md} true. */
class HazardsTest {

    private static final Path REPOSITORY = Path.of("..");
    private static final Path HAZARDS = REPOSITORY.resolve(Path.of("docs", "hazards.md"));
    private static final Path TESTS = Path.of("src", "test", "java");
    private static final Pattern ROW = Pattern.compile("(?m)^\\| (\\d+) \\|.*\\| (.*) \\|$");
    private static final Pattern NAMED_TEST = Pattern.compile("`([A-Z]\\w*)\\.(\\w+)`");

    @Test
    void hazards_are_numbered_without_a_gap() throws IOException {
        List<Integer> numbers =
                rows().stream().map(row -> Integer.valueOf(row.group(1))).toList();

        assertThat(numbers)
                .hasSizeGreaterThanOrEqualTo(44)
                .isEqualTo(IntStream.rangeClosed(1, numbers.size()).boxed().toList());
    }

    @Test
    void every_hazard_names_its_tests_or_says_that_they_are_planned() throws IOException {
        assertThat(rows())
                .allSatisfy(row -> assertThat(row.group(2))
                        .as("hazard %s", row.group(1))
                        .satisfiesAnyOf(
                                proof -> assertThat(proof).isEqualTo("*planned*"),
                                proof -> assertThat(proof).containsPattern(NAMED_TEST)));
    }

    @Test
    void every_test_that_is_named_exists() throws IOException {
        Map<String, String> sources = testSources();
        List<String> missing = new ArrayList<>();
        NAMED_TEST.matcher(Files.readString(HAZARDS)).results().forEach(test -> {
            if (!sources.getOrDefault(test.group(1), "").contains("void " + test.group(2) + "(")) {
                missing.add(test.group());
            }
        });

        assertThat(missing).as("tests named in %s that do not exist", HAZARDS).isEmpty();
    }

    private static List<MatchResult> rows() throws IOException {
        return ROW.matcher(Files.readString(HAZARDS)).results().toList();
    }

    /** Sources of the test classes of all modules, by simple name. */
    private static Map<String, String> testSources() throws IOException {
        List<Path> modules;
        try (Stream<Path> entries = Files.list(REPOSITORY)) {
            modules = entries.map(module -> module.resolve(TESTS))
                    .filter(Files::isDirectory)
                    .toList();
        }
        List<Path> files = new ArrayList<>();
        for (Path module : modules) {
            try (Stream<Path> found = Files.walk(module)) {
                found.filter(file -> file.toString().endsWith(".java")).forEach(files::add);
            }
        }
        return files.stream()
                .collect(toMap(
                        file -> file.getFileName().toString().replace(".java", ""),
                        HazardsTest::read,
                        (one, another) -> one + another));
    }

    private static String read(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            throw new UncheckedIOException(file + " could not be read", e);
        }
    }
}
