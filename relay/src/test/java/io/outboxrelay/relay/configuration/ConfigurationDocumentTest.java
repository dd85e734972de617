package io.outboxrelay.relay.configuration;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ConfigurationDocumentTest {

    private static final Path DOCUMENT = Path.of("../docs/configuration.md");

    @TempDir
    private Path folder;

    @Test
    void the_table_of_keys_is_the_catalogue() throws IOException {
        assertThat(Files.readString(DOCUMENT))
                .as("%s holds this table", DOCUMENT)
                .contains("<!-- keys -->\n" + table() + "<!-- end of keys -->\n");
    }

    @Test
    void the_smallest_file_of_the_document_is_one() throws IOException {
        String document = Files.readString(DOCUMENT);
        String yaml = document.substring(document.indexOf("```yaml\n") + 8);
        Path file = Files.writeString(folder.resolve("relay.yaml"), yaml.substring(0, yaml.indexOf("```")));

        assertThat(new ConfigurationReader(file, List.of(), Map.of("ORDERS_DB_PASSWORD", "p"))
                        .configuration()
                        .sources())
                .hasSize(1);
    }

    private static String table() {
        return "| key | kind | default | meaning |\n| --- | --- | --- | --- |\n"
                + Keys.ALL.stream().map(ConfigurationDocumentTest::row).collect(Collectors.joining());
    }

    private static String row(Key<?> key) {
        String standard = key.required() ? "required" : key.standard() == null ? "" : "`" + key.standard() + "`";
        return "| `%s` | %s | %s | %s |\n"
                .formatted(key.path(), key.kind().name(), standard.equals("``") ? "empty" : standard, key.meaning());
    }
}
