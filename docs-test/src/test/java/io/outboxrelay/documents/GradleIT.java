package io.outboxrelay.documents;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import io.outboxrelay.documents.Document.Snippet;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Builds the first tutorial's service with Gradle instead of Maven. */
@Tag("full")
class GradleIT {

    @TempDir
    Path home;

    @Test
    void the_service_of_the_tutorial_is_built_by_gradle_too() throws IOException {
        Path notes = Files.createDirectories(home.resolve("notes"));
        Path shop = Files.createDirectories(home.resolve("shop"));
        LocalRepository.fill(home.resolve("maven"));
        try (Shell shell = new Shell(shop, notes, Map.of())) {
            assumeThat(shell.run("command -v gradle").status())
                    .as("NO GRADLE on this machine: the tutorial's build.gradle is not tried")
                    .isZero();
            for (Snippet snippet :
                    Document.read(Document.ROOT.resolve("docs/tutorial.md")).snippets()) {
                if (snippet.file().isPresent() && snippet.into().isEmpty() && !isTest(snippet)) {
                    Path file = shop.resolve(snippet.file().get());
                    Files.createDirectories(file.getParent());
                    Files.writeString(file, snippet.text());
                }
            }

            Shell.Result built = shell.run("gradle --no-daemon --console plain -Dmaven.repo.local='%s' assemble"
                    .formatted(home.resolve("maven/repository")));

            assertThat(built.status()).as(built.output()).isZero();
            assertThat(shop.resolve("build/classes/java/main/com/example/shop/Shop.class"))
                    .isRegularFile();
            assertThat(shop.resolve("build/libraries/outbox-spring-boot-starter-0.1.0-SNAPSHOT.jar"))
                    .isRegularFile();
        }
    }

    private static boolean isTest(Snippet snippet) {
        return snippet.file().orElseThrow().startsWith("src/test");
    }
}
