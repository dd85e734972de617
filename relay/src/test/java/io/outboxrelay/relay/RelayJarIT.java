package io.outboxrelay.relay;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.jar.JarFile;
import java.util.zip.ZipEntry;
import org.junit.jupiter.api.Test;

/** The shipped jar lists its parts and their licences. */
class RelayJarIT {

    /** Without a text of their own, parts are under one of these, whose texts are there; in the words of the parts. */
    private static final Set<String> TEXTS = Set.of("Apache-2.0", "AL 2.0", "LGPL-2.1-only", "LGPL-2.1-or-later");

    @Test
    void every_part_is_named_and_its_licence_is_there() throws IOException {
        List<String> parts = new ArrayList<>();
        List<String> withoutText = new ArrayList<>();
        try (JarFile jar = new JarFile("target/outbox-relay.jar")) {
            Set<String> folders = folders(jar);
            for (JsonNode part : json(jar, "META-INF/sbom/application.cdx.json").path("components")) {
                String name =
                        part.path("name").asText() + "-" + part.path("version").asText();
                parts.add(name);
                boolean hasText = folders.stream().anyMatch(folder -> folder.startsWith(name + "-"));
                if (!hasText && licences(part).stream().noneMatch(TEXTS::contains)) {
                    withoutText.add(name);
                }
            }
            assertThat(jar.getEntry("META-INF/licences/Apache-2.0.txt")).isNotNull();
            assertThat(jar.getEntry("META-INF/licences/LGPL-2.1.txt")).isNotNull();
        }

        assertThat(parts)
                .anyMatch(part -> part.startsWith("amqp-client-"))
                .anyMatch(part -> part.startsWith("mariadb-java-client-"))
                .noneMatch(part -> part.startsWith("junit"));
        assertThat(withoutText).isEmpty();
    }

    private static Set<String> folders(JarFile jar) {
        Set<String> folders = new HashSet<>();
        jar.stream().map(ZipEntry::getName).forEach(name -> {
            String[] path = name.split("/");
            if (name.startsWith("META-INF/licences/") && path.length > 3) {
                folders.add(path[2]);
            }
        });
        return folders;
    }

    private static List<String> licences(JsonNode part) {
        List<String> licences = new ArrayList<>();
        for (JsonNode choice : part.path("licenses")) {
            licences.add(choice.path("license").path("id").asText());
            licences.add(choice.path("license").path("name").asText());
            licences.addAll(List.of(choice.path("expression").asText().split(" OR |[()]")));
        }
        return licences;
    }

    private static JsonNode json(JarFile jar, String name) throws IOException {
        try (InputStream text = jar.getInputStream(jar.getEntry(name))) {
            return new ObjectMapper().readTree(text);
        }
    }
}
