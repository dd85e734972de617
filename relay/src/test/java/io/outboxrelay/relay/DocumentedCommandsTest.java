package io.outboxrelay.relay;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import picocli.CommandLine;

/** Every command and every option of this program that a page, an example or a message of it names exists. */
class DocumentedCommandsTest {

    private static final Path ROOT = Path.of("..");

    /**
     * {@code `failures retry --source orders`} in a text, or {@code outbox-relay status} anywhere, to the end of line.
     */
    private static final Pattern IN_A_PAGE =
            Pattern.compile("`([a-z][^`\n]*)`|(?:outbox-relay|outbox-relay\\.jar) ([a-z][^`\n]*)");

    private static final Pattern WORD = Pattern.compile("\"[^\"]*\"|'[^']*'|\\S+");

    private final CommandLine program = Main.commandLine(Map.of());

    @ParameterizedTest
    @MethodSource("pages")
    void every_command_that_is_named_exists_with_its_options(Path page) throws IOException {
        Set<String> unknown = new TreeSet<>();
        Matcher named = IN_A_PAGE.matcher(Files.readString(page).replace("\\\n", " "));
        while (named.find()) {
            boolean whole = named.group(2) != null;
            check(whole ? named.group(2) : named.group(1), whole, unknown);
        }
        assertThat(unknown).isEmpty();
    }

    static List<Path> pages() {
        List<Path> pages = new ArrayList<>(List.of(
                ROOT.resolve("README.md"),
                ROOT.resolve("CONTRIBUTING.md"),
                ROOT.resolve("SECURITY.md"),
                ROOT.resolve("compose.yaml"),
                ROOT.resolve("bench/README.md"),
                ROOT.resolve("sample-services/README.md")));
        try (Stream<Path> docs = Files.list(ROOT.resolve("docs"))) {
            docs.filter(file -> file.toString().endsWith(".md")).sorted().forEach(pages::add);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return pages;
    }

    /**
     * Compares a command with the program.
     *
     * @param whole whether the text can only be a command; in a sentence it may also be another word
     */
    private void check(String text, boolean whole, Set<String> unknown) {
        CommandLine command = program;
        Matcher words = WORD.matcher(text);
        int depth = 0;
        while (words.find()) {
            String word = words.group();
            if (word.matches("[|&>#;].*|\\d?>.*")) {
                return;
            }
            if (word.startsWith("--") && word.length() > 2) {
                String option = word.replaceAll("[=,.:;)\\]].*", "");
                if (depth > 0 && !command.getCommandSpec().optionsMap().containsKey(option)) {
                    unknown.add("%s has no option %s: %s"
                            .formatted(command.getCommandSpec().qualifiedName(), option, text));
                }
            } else if (command.getSubcommands().containsKey(word)) {
                command = command.getSubcommands().get(word);
                depth++;
            } else if (depth == 0) {
                if (whole && word.matches("[a-z-]+")) {
                    unknown.add("There is no command %s: %s".formatted(word, text));
                }
                return;
            }
        }
    }
}
