package io.outboxrelay.documents;

import static org.assertj.core.api.Assertions.assertThat;

import io.outboxrelay.documents.Document.Snippet;
import io.outboxrelay.testservers.FreePorts;
import io.outboxrelay.testservers.PrivateServer;
import io.outboxrelay.testservers.Servers;
import io.outboxrelay.testservers.TestDatabase;
import io.outboxrelay.testservers.TestVirtualHost;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Does what the tutorial says, word by word, in an empty folder and outside this build: writes its files, runs its
 * commands in one shell and compares what they print. Only three things differ from a reader's machine: the servers are
 * the test's, so their addresses and the ports of the programs are others; {@code docker} is not called; and the
 * project's jars are those of this build, without a second one.
 */
@Tag("server")
@Tag("full")
class TutorialIT {

    private final Map<String, String> replaced = new LinkedHashMap<>();

    @TempDir
    Path home;

    @Test
    void every_step_of_the_tutorials_works_as_it_stands() throws IOException {
        Path notes = Files.createDirectories(home.resolve("notes"));
        Path commands = LocalRepository.fill(home.resolve("maven"));
        Map<String, String> environment =
                Map.of("HOME", home.toString(), "PATH", commands + ":" + System.getenv("PATH"), "LC_ALL", "C.UTF-8");
        try (PrivateServer<?> postgres = Servers.startPrivatePostgres();
                TestDatabase database = postgres.newDatabase();
                TestVirtualHost host = Servers.rabbitmq().newVirtualHost();
                Shell shell = new Shell(Document.ROOT, notes, environment)) {
            replace(database, host);
            String printed = "";
            for (Snippet snippet : steps()) {
                if (snippet.file().isPresent()) {
                    write(snippet);
                } else if (snippet.language().equals("sh")) {
                    printed = run(shell, snippet);
                } else {
                    assertThat(printed).as(snippet.where()).matches(pattern(snippet.text()));
                }
            }
        }
    }

    /** The second tutorial continues the first one before it cleans up. */
    private static List<Snippet> steps() {
        List<Snippet> first =
                Document.read(Document.ROOT.resolve("docs/tutorial.md")).snippets();
        List<Snippet> steps =
                new ArrayList<>(first.stream().filter(TutorialIT::isWork).toList());
        steps.addAll(Document.read(Document.ROOT.resolve("docs/tutorial-contracts.md"))
                .snippets());
        steps.addAll(first.stream().filter(snippet -> !isWork(snippet)).toList());
        return steps;
    }

    private static boolean isWork(Snippet snippet) {
        return !snippet.section().endsWith("Clean up");
    }

    private void replace(TestDatabase database, TestVirtualHost host) {
        replaced.put("jdbc:postgresql://localhost:5432/shop", database.jdbcUrl());
        replaced.put("username: shop", "username: '" + database.user() + "'");
        replaced.put("password: shop", "password: '" + database.password() + "'");
        replaced.put("amqp://guest:guest@localhost:5672/%2f", host.amqpUri());
        replaced.put("8080", String.valueOf(FreePorts.next()));
        replaced.put("8081", String.valueOf(FreePorts.next()));
        replaced.put("./mvnw -q install -DskipTests", "true");
        replaced.put("docker ", "true ");
    }

    private void write(Snippet snippet) throws IOException {
        Path file = home.resolve("shop").resolve(snippet.file().orElseThrow());
        Files.createDirectories(file.getParent());
        if (snippet.into().isPresent()) {
            String end = "</" + snippet.into().get() + ">";
            String before = Files.readString(file);
            assertThat(before).as(snippet.where()).containsOnlyOnce(end);
            Files.writeString(file, before.replace(end, snippet.text() + end));
        } else {
            Files.writeString(file, here(snippet.text()));
        }
    }

    private String run(Shell shell, Snippet snippet) throws IOException {
        Shell.Result result = shell.run(here(snippet.text()));
        assertThat(result.status())
                .as("%s printed:%n%s%n%s", snippet.where(), result.output(), logs())
                .isZero();
        return result.output();
    }

    private String here(String text) {
        String changed = text;
        for (Map.Entry<String, String> each : replaced.entrySet()) {
            changed = changed.replace(each.getKey(), each.getValue());
        }
        return changed;
    }

    private String logs() throws IOException {
        Path shop = home.resolve("shop");
        if (!Files.isDirectory(shop)) {
            return "";
        }
        StringBuilder all = new StringBuilder();
        try (Stream<Path> files = Files.list(shop)) {
            for (Path log :
                    files.filter(file -> file.toString().endsWith(".log")).toList()) {
                all.append(log).append(":\n").append(Files.readString(log));
            }
        }
        return all.toString();
    }

    /** An ellipsis stands for any text within a line, and a line of its own for any lines. */
    private static Pattern pattern(String expected) {
        return Pattern.compile(expected.strip()
                .lines()
                .map(line -> line.strip().equals("…")
                        ? "(?s:.*)"
                        : Stream.of(line.strip().split("…", -1))
                                .map(Pattern::quote)
                                .collect(Collectors.joining(".*")))
                .collect(Collectors.joining("\\s*\\R\\s*", "(?s:.*)", "(?s:.*)")));
    }
}
