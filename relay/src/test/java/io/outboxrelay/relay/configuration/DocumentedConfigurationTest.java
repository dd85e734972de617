package io.outboxrelay.relay.configuration;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.outboxrelay.relay.configuration.ConfigurationException.Fault;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Every configuration of the relay that a page shows is one, although it may leave required keys out. */
class DocumentedConfigurationTest {

    private static final Path ROOT = Path.of("..");

    private static final Pattern YAML = Pattern.compile("(?s)```yaml\n(.*?)```");

    /** Begins with a key of the relay; other files of YAML belong to Spring Boot or to contracts. */
    private static final Pattern OURS =
            Pattern.compile("(?m)\\A(sources|broker|retry|publish|lease|poll|log|http|drain):");

    @TempDir
    Path folder;

    @Test
    void every_configuration_that_a_page_shows_is_accepted() throws IOException {
        int seen = 0;
        for (Path page : pages()) {
            for (String text : YAML.matcher(Files.readString(page))
                    .results()
                    .map(block -> block.group(1))
                    .filter(text -> OURS.matcher(text).find())
                    .toList()) {
                seen++;
                assertThat(faults(text)).as("%s:%n%s", page, text).isEmpty();
            }
        }
        assertThat(seen).isGreaterThan(3);
    }

    @Test
    void a_key_that_does_not_exist_would_be_found() throws IOException {
        assertThat(faults("broker:\n  exchang: events\n")).hasSize(1);
    }

    private List<String> faults(String yaml) throws IOException {
        Path file = Files.writeString(folder.resolve("relay.yaml"), yaml);
        Map<String, String> variables = Map.of("ORDERS_DB_PASSWORD", "p", "REGISTRY_PASSWORD", "p");
        ConfigurationException refusal = catchThrowableOfType(
                ConfigurationException.class,
                () -> new ConfigurationReader(file, List.of(), variables).configuration());
        return refusal == null
                ? List.of()
                : refusal.faults().stream()
                        .map(Fault::toString)
                        .filter(fault -> !fault.contains("is missing"))
                        .toList();
    }

    private static List<Path> pages() {
        List<Path> pages =
                new ArrayList<>(List.of(ROOT.resolve("README.md"), ROOT.resolve("sample-services/README.md")));
        try (Stream<Path> docs = Files.list(ROOT.resolve("docs"))) {
            docs.filter(file -> file.toString().endsWith(".md")).sorted().forEach(pages::add);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return pages;
    }
}
