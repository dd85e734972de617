package io.outboxrelay.documents;

import static org.assertj.core.api.Assertions.assertThat;

import io.outboxrelay.documents.Document.Snippet;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.jetbrains.kotlin.cli.common.ExitCode;
import org.jetbrains.kotlin.cli.jvm.K2JVMCompiler;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Compiles the Kotlin classes of the documents against the client. */
@Tag("full")
class KotlinIT {

    private static final String IMPORTS = """
            import io.outboxrelay.client.JsonEvents
            import io.outboxrelay.client.Outbox
            import org.springframework.jdbc.core.JdbcTemplate
            import org.springframework.stereotype.Service
            import org.springframework.transaction.annotation.Transactional

            data class OrderPlaced(val orderId: String, val total: Int)

            """;

    @TempDir
    Path folder;

    static boolean compiles(Snippet snippet) {
        return snippet.language().equals("kotlin") && snippet.text().contains("class ");
    }

    @Test
    void every_class_in_kotlin_compiles() throws IOException {
        List<Snippet> classes = Document.all().stream()
                .flatMap(document -> document.snippets().stream())
                .filter(KotlinIT::compiles)
                .toList();
        assertThat(classes).isNotEmpty();
        for (Snippet snippet : classes) {
            Path source = Files.writeString(folder.resolve("Snippet.kt"), IMPORTS + snippet.text());
            ByteArrayOutputStream messages = new ByteArrayOutputStream();
            ExitCode end = new K2JVMCompiler()
                    .exec(
                            new PrintStream(messages, true, StandardCharsets.UTF_8),
                            "-no-stdlib",
                            "-no-reflect",
                            "-d",
                            folder.resolve("classes").toString(),
                            "-classpath",
                            System.getProperty("java.class.path"),
                            source.toString());
            assertThat(end).as("%s%n%s", snippet, messages).isEqualTo(ExitCode.OK);
        }
    }
}
