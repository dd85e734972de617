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

        only("a", "Money", "\"int\"");
        write();

        // The text of A's schema has that of Money in it.
        assertThat(Files.getLastModifiedTime(kept)).isNotEqualTo(LONG_AGO);
        assertThat(Files.getLastModifiedTime(changed)).isNotEqualTo(LONG_AGO);
        Files.setLastModifiedTime(kept, LONG_AGO);
        write();
        assertThat(Files.getLastModifiedTime(kept)).isEqualTo(LONG_AGO);

        only("a", "Price", "\"int\"");
        write();
        assertThat(changed).doesNotExist();
        assertThat(sources.resolve("shop/Price.java")).exists();
    }

    @Test
    void what_was_not_generated_is_neither_deleted_nor_written_over() throws IOException {
        Path own = Files.writeString(
                Files.createDirectories(sources.resolve("shop")).resolve("Own.java"), "class Own {}");
        only("a", "Money", "\"string\"");
        write();

        assertThat(own).hasContent("class Own {}");
        only("a", "Own", "\"string\"");
        assertThatThrownBy(this::write).isInstanceOf(OwnFiles.NotOurs.class).hasMessageContaining("Own.java");
        assertThat(own).hasContent("class Own {}");
        assertThat(sources.resolve("shop/Money.java")).exists();
    }

    @Test
    void a_list_that_names_a_file_outside_deletes_nothing_there() throws IOException {
        Path outside = Files.writeString(contracts.resolve("outside.java"), "class Outside {}");
        Files.writeString(sources.resolve(OwnFiles.LIST), sources.relativize(outside) + "\n");
        only("a", "Money", "\"string\"");
        write();

        assertThat(outside).exists();
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
