package io.outboxrelay.documents;

import static org.assertj.core.api.Assertions.assertThat;

import io.outboxrelay.documents.Document.Snippet;
import java.io.IOException;
import java.io.StringReader;
import java.io.UncheckedIOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import javax.xml.XMLConstants;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.xml.sax.InputSource;
import org.yaml.snakeyaml.Yaml;

/**
 * Nothing is shown that nobody runs. A snippet of Java, SQL or XML stands in a file that is compiled and run by a test,
 * or in the tutorial, which {@link TutorialIT} runs. The relay's tests do the same for its commands and its
 * configuration.
 */
class SnippetsTest {

    /** Their examples are compared with the rules themselves, in the module {@code schemas}. */
    private static final Set<String> TRIED_ELSEWHERE = Set.of("json");

    private static final Set<String> PICTURES_AND_OUTPUT = Set.of("", "text");

    /** Those of a module that this build makes. */
    private static final Pattern COORDINATES = Pattern.compile(
            "^(testI|i)mplementation\\(\"io\\.outboxrelay:(outbox-[a-z-]+):0\\.1\\.0-SNAPSHOT\"\\)\\R$");

    /** {@link InstallationIT} reads the statements of this page and runs them. */
    private static final String RUN_FROM_THE_PAGE = "docs/installation.md";

    private static final Set<String> SOURCES = Set.of("java", "kt", "sql", "xml", "yaml", "kts");

    private static String everything;

    @BeforeAll
    static void read_all_sources_and_the_tutorial() throws IOException {
        StringBuilder all = new StringBuilder();
        Files.walkFileTree(Document.ROOT, new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult preVisitDirectory(Path folder, BasicFileAttributes attributes) {
                String name = folder.getFileName().toString();
                return name.equals("target") || name.startsWith(".") || name.equals("node_modules")
                        ? FileVisitResult.SKIP_SUBTREE
                        : FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) throws IOException {
                String name = file.getFileName().toString();
                if (SOURCES.contains(name.substring(name.lastIndexOf('.') + 1))) {
                    all.append(dense(Files.readString(file))).append('\n');
                }
                return FileVisitResult.CONTINUE;
            }
        });
        Document.all().stream()
                .filter(document -> document.path().getFileName().toString().startsWith("tutorial"))
                .flatMap(document -> document.snippets().stream())
                .filter(snippet -> snippet.file().isPresent())
                .forEach(snippet -> all.append(dense(snippet.text())).append('\n'));
        everything = all.toString();
    }

    static List<Snippet> snippets() {
        return Document.all().stream()
                .flatMap(document -> document.snippets().stream())
                .filter(snippet -> !PICTURES_AND_OUTPUT.contains(snippet.language()))
                .filter(snippet -> !TRIED_ELSEWHERE.contains(snippet.language()))
                .filter(snippet -> !KotlinIT.compiles(snippet))
                .filter(snippet ->
                        !(snippet.language().equals("sql") && snippet.where().startsWith(RUN_FROM_THE_PAGE + ":")))
                .toList();
    }

    @ParameterizedTest
    @MethodSource("snippets")
    void every_snippet_is_run_somewhere(Snippet snippet) throws Exception {
        switch (snippet.language()) {
            case "kotlin" ->
                // The only Kotlin class is compiled by KotlinIT; the others are lines for Gradle.
                assertThat(snippet.text()).containsPattern(COORDINATES);
            case "java", "sql" ->
                assertThat(everything.contains(dense(snippet.text())))
                        .as("%s stands in a file that a test runs:%n%s", snippet, snippet.text())
                        .isTrue();
            case "xml" -> {
                DocumentBuilderFactory factory = DocumentBuilderFactory.newInstance();
                factory.setFeature(XMLConstants.FEATURE_SECURE_PROCESSING, true);
                assertThat(factory.newDocumentBuilder()
                                .parse(new InputSource(new StringReader("<snippet>" + snippet.text() + "</snippet>"))))
                        .isNotNull();
                assertThat(artifacts(snippet.text())).as(snippet.where()).allMatch(SnippetsTest::isMadeHere);
            }
            case "yaml" -> assertThat(new Yaml().<Object>load(snippet.text())).isNotNull();
            case "groovy" -> assertThat(snippet.file()).as("run by GradleIT").hasValue(Path.of("build.gradle"));
            case "sh" -> assertThat(snippet.text()).isNotBlank();
            default ->
                throw new AssertionError(
                        snippet + " is in a language that nobody checks: add it here, with a way to run it");
        }
    }

    /** The project's own artifacts that a snippet names. */
    private static List<String> artifacts(String xml) {
        return Pattern.compile("<groupId>io\\.outboxrelay</groupId>\\s*<artifactId>([^<]*)</artifactId>")
                .matcher(xml)
                .results()
                .map(artifact -> artifact.group(1))
                .toList();
    }

    private static boolean isMadeHere(String artifact) {
        return Files.isRegularFile(Document.ROOT.resolve(artifact).resolve("pom.xml"));
    }

    /** A link that leads nowhere stops a reader as surely as a command that fails. */
    @ParameterizedTest
    @MethodSource("pages")
    void every_link_leads_to_a_page_and_a_heading(Path page) {
        Set<String> broken = new HashSet<>();
        for (String link : Document.links(page)) {
            if (!link.matches("[a-z]+:.*")) {
                int hash = link.indexOf('#');
                String file = hash < 0 ? link : link.substring(0, hash);
                Path target =
                        file.isEmpty() ? page : page.getParent().resolve(file).normalize();
                if (!Files.exists(target)
                        || hash >= 0 && !Document.anchors(target).contains(link.substring(hash + 1))) {
                    broken.add(link);
                }
            }
        }
        assertThat(broken).as(page.toString()).isEmpty();
    }

    @Test
    void every_alert_leads_to_a_section() throws IOException {
        String alerts = Files.readString(Document.ROOT.resolve("compose/monitoring/alerts.yaml"));
        Set<String> anchors = Document.anchors(Document.ROOT.resolve("docs/troubleshooting.md"));

        assertThat(Pattern.compile("- alert: (\\w+)").matcher(alerts).results().map(alert -> alert.group(1)))
                .isNotEmpty()
                .allSatisfy(alert -> {
                    String section = alert.toLowerCase(Locale.ROOT);
                    assertThat(anchors).contains(section);
                    assertThat(alerts).contains("runbook_url: docs/troubleshooting.md#" + section + "\n");
                });
    }

    static List<Path> pages() {
        try (Stream<Path> docs = Files.walk(Document.ROOT.resolve("docs"));
                Stream<Path> root = Files.list(Document.ROOT)) {
            return Stream.concat(
                            Stream.concat(root, docs),
                            Stream.of("sample-services/README.md", "bench/README.md")
                                    .map(Document.ROOT::resolve))
                    .filter(file -> file.toString().endsWith(".md"))
                    .collect(Collectors.toList());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Without the spaces, which formatting changes. */
    private static String dense(String text) {
        return text.replaceAll("\\s+", "");
    }
}
