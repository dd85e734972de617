package io.outboxrelay.schemas.maven;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.outboxrelay.schemas.contract.Contracts;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.List;
import java.util.Locale;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class GeneratedClassesTest {

    private static final FileTime LONG_AGO = FileTime.from(Instant.parse("2020-01-01T00:00:00Z"));

    @TempDir
    Path contracts;

    @TempDir
    Path sources;

    @Test
    void a_class_has_strings_and_private_fields_and_nothing_that_sets_them() throws IOException {
        only("a", "Money", "\"string\"");

        List<Path> written = write();

        assertThat(written)
                .extracting(Path::getFileName)
                .extracting(Path::toString)
                .containsExactly("A.java", "Money.java");
        assertThat(Files.readString(sources.resolve("shop/Money.java")))
                .contains("private java.lang.String amount;", "public java.lang.String getAmount()")
                .doesNotContain("public void setAmount");
    }

    @Test
    void what_has_not_changed_is_not_written_again_and_what_is_gone_is_deleted() throws IOException {
        only("a", "Money", "\"string\"");
        write();
        Path kept = Files.setLastModifiedTime(sources.resolve("shop/A.java"), LONG_AGO);
        Path changed = Files.setLastModifiedTime(sources.resolve("shop/Money.java"), LONG_AGO);
        Path old = Files.writeString(sources.resolve("shop/Old.java"), "class Old {}");

        only("a", "Money", "\"int\"");
        write();

        // The text of A's schema has that of Money in it.
        assertThat(Files.getLastModifiedTime(kept)).isNotEqualTo(LONG_AGO);
        assertThat(Files.getLastModifiedTime(changed)).isNotEqualTo(LONG_AGO);
        assertThat(old).doesNotExist();
        Files.setLastModifiedTime(kept, LONG_AGO);
        write();
        assertThat(Files.getLastModifiedTime(kept)).isEqualTo(LONG_AGO);
    }

    @Test
    void one_class_cannot_be_two_things() throws IOException {
        only("a", "Money", "\"string\"");
        also("b", "Money", "\"int\"");

        assertThatThrownBy(this::write)
                .isInstanceOf(GeneratedClasses.Conflict.class)
                .hasMessageContaining("shop.Money is one thing in a v1")
                .hasMessageContaining("another in b v1");
    }

    private List<Path> write() throws IOException {
        return new GeneratedClasses(Contracts.read(contracts))
                .write(sources).stream().sorted().toList();
    }

    private void only(String subject, String nested, String type) throws IOException {
        Files.writeString(contracts.resolve("contracts.yaml"), "owner: x\nsubjects:\n  " + subject + ": {}\n");
        schema(subject, nested, type);
    }

    private void also(String subject, String nested, String type) throws IOException {
        Files.writeString(contracts.resolve("contracts.yaml"), "  " + subject + ": {}\n", StandardOpenOption.APPEND);
        schema(subject, nested, type);
    }

    private void schema(String subject, String nested, String type) throws IOException {
        Path folder = Files.createDirectories(contracts.resolve(subject));
        Files.writeString(folder.resolve("v1.avsc"), """
                {"type": "record", "name": "%s", "namespace": "shop", "fields": [{"name": "x", "type":
                  {"type": "record", "name": "%s", "fields": [{"name": "amount", "type": %s}]}}]}""".formatted(subject.toUpperCase(Locale.ROOT), nested, type));
    }
}
