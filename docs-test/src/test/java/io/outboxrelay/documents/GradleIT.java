package io.outboxrelay.documents;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import io.outboxrelay.documents.Document.Snippet;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Resolves the dependencies of the first tutorial's service with Gradle instead of Maven. Its sources are compiled in
 * {@link TutorialIT} only: Debian's Gradle 4.4 knows no records.
 */
@Tag("full")
class GradleIT {

    private static final Path BUILD = Path.of("build.gradle");

    @TempDir
    Path home;

    @Test
    void gradle_finds_the_libraries_of_the_tutorial_s_service() throws IOException {
        Path notes = Files.createDirectories(home.resolve("notes"));
        Path shop = Files.createDirectories(home.resolve("shop"));
        LocalRepository.fill(home.resolve("maven"));
        try (Shell shell = new Shell(shop, notes, Map.of())) {
            assumeThat(shell.run("command -v gradle").status())
                    .as("NO GRADLE on this machine: the tutorial's build.gradle is not tried")
                    .isZero();
            Files.writeString(shop.resolve(BUILD), build());

            Shell.Result built = shell.run("gradle --no-daemon --console plain -Dmaven.repo.local='%s' libraries"
                    .formatted(home.resolve("maven/repository")));

            assertThat(built.status()).as(built.output()).isZero();
            assertThat(shop.resolve("build/libraries/outbox-spring-boot-starter-0.1.0-SNAPSHOT.jar"))
                    .isRegularFile();
        }
    }

    private static String build() {
        return Document.read(Document.ROOT.resolve("docs/tutorial.md")).snippets().stream()
                .filter(snippet -> snippet.file().equals(Optional.of(BUILD)))
                .map(Snippet::text)
                .collect(Collectors.joining());
    }
}
