package io.outboxrelay.relay;

import static org.assertj.core.api.Assertions.assertThat;

import io.outboxrelay.testservers.PrivateRegistry;
import io.outboxrelay.testservers.RegistryLine;
import io.outboxrelay.testservers.Servers;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

/** The commands that speak with a registry, with a real one. */
@Tag("server")
class RegistryCommandsTest {

    private static final String PAID = """
            {"type": "record", "name": "Paid", "namespace": "shop", "doc": "Money has come.", "fields": [
              {"name": "id", "type": "%s", "doc": "Of the order."}%s]}""";
    private static final String FIRST = PAID.formatted("string", "");
    private static final String SECOND = PAID.formatted(
            "string", ", {\"name\": \"currency\", \"type\": \"string\", \"default\": \"EUR\", \"doc\": \"ISO 4217.\"}");
    private static final String BROKEN = PAID.formatted("int", "");

    private static PrivateRegistry server;

    @TempDir
    private Path folder;

    private final Map<String, String> environment = new HashMap<>();
    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();

    @BeforeAll
    static void start() {
        server = Servers.startPrivateRegistry(RegistryLine.TWO);
    }

    @AfterAll
    static void stop() {
        server.close();
    }

    @Test
    void versions_are_registered_listed_and_downloaded_as_they_were() throws IOException {
        contracts("shop.a", FIRST, SECOND);

        assertThat(run("register", folder.toString())).as(err.toString()).isZero();
        assertThat(out.toString()).contains("shop.a v1 is registered as id", "shop.a v2 is registered as id");
        assertThat(run("register", folder.toString())).isZero();
        assertThat(out.toString()).contains("shop.a v2 already exists");

        assertThat(run("list")).isZero();
        assertThat(out.toString()).contains("shop.a  FULL_TRANSITIVE  versions 1, 2  newest ");

        Path into = folder.resolve("downloaded");
        assertThat(run("download", "shop.a", "--into", into.toString())).isZero();
        assertThat(into.resolve("shop.a/v1.avsc")).exists();
        assertThat(run("compare", into.resolve("shop.a/v2.avsc").toString(), folder + "/shop.a/v2.avsc"))
                .isZero();
        Files.writeString(into.resolve("shop.a/v1.avsc"), SECOND);
        assertThat(run("download", "shop.a", "--into", into.toString())).isEqualTo(1);
        assertThat(err.toString()).contains("v1.avsc already exists with another schema than shop.a version 1");
        assertThat(into.resolve("shop.a/v1.avsc")).hasContent(SECOND);
        assertThat(run("download", "shop.unknown")).isEqualTo(1);
    }

    @Test
    void an_incompatible_version_is_a_finding_before_it_is_registered_and_a_conflict_when_it_is() throws IOException {
        contracts("shop.b", FIRST);
        assertThat(run("register", folder.toString())).isZero();
        contracts("shop.b", FIRST, BROKEN);

        assertThat(run("test-compatibility", folder.toString())).isEqualTo(1);
        assertThat(out.toString()).contains("type-changed", "Paid.id");
        assertThat(err.toString()).contains("shop.b v2 would be refused by the registry", "FULL_TRANSITIVE");
        assertThat(run("test-compatibility", folder.toString(), "--format", "json"))
                .isEqualTo(1);
        assertThat(out.toString()).contains("\"type-changed\"");

        assertThat(run("register", folder.toString(), "--subject", "shop.b")).isEqualTo(1);
        assertThat(err.toString()).contains("shop.b v2 is refused", "schemas test-compatibility");

        contracts("shop.b", FIRST, SECOND);
        assertThat(run("test-compatibility", folder.toString()))
                .as(err.toString())
                .isZero();
    }

    @Test
    void wrong_use_is_told_from_a_registry_that_is_away_and_neither_shows_a_secret() throws IOException {
        contracts("shop.c", FIRST);
        Path password = Files.writeString(folder.resolve("password"), "not-to-be-seen\n");
        String nobody = "http://127.0.0.1:1/api";

        assertThat(run("list", "--registry", "ftp://x")).isEqualTo(2);
        assertThat(err.toString()).contains("http://");
        environment.put("OUTBOX_RELAY_SCHEMAS_REGISTRY_TOKEN", "not-to-be-seen");
        assertThat(run("list", "--registry-user", "me")).isEqualTo(2);
        assertThat(err.toString()).contains("choose one of them");
        environment.clear();
        assertThat(run("list", "--registry-trust", "missing.pem")).isEqualTo(2);
        assertThat(err.toString()).contains("missing.pem");
        assertThat(run("download", "../c")).isEqualTo(2);
        assertThat(err.toString()).contains("'../c' cannot be the name of a folder");
        assertThat(run("register", folder.resolve("nowhere").toString())).isEqualTo(2);
        assertThat(run("register", folder.toString(), "--subject", "shop.z")).isEqualTo(2);
        assertThat(run(
                        "list",
                        "--registry-password-file",
                        folder.resolve("none").toString(),
                        "--registry-user",
                        "me"))
                .isEqualTo(2);

        assertThat(run(
                        "register",
                        folder.toString(),
                        "--registry",
                        nobody,
                        "--registry-user",
                        "me",
                        "--registry-password-file",
                        password.toString()))
                .isEqualTo(1);
        assertThat(err.toString()).contains(nobody, "does not answer").doesNotContain("not-to-be-seen");
    }

    @Test
    void an_address_or_a_token_that_cannot_be_used_is_told_without_showing_it() {
        assertThat(run("list", "--registry", "http://me:not-to-be-seen@ host")).isEqualTo(2);
        assertThat(err.toString()).contains("not a URL").doesNotContain("not-to-be-seen");

        environment.put("OUTBOX_RELAY_SCHEMAS_REGISTRY_TOKEN", "not-to-be-seen\u0001");
        assertThat(run("list")).isEqualTo(2);
        assertThat(err.toString()).contains("token has a character").doesNotContain("not-to-be-seen");
    }

    private int run(String... arguments) {
        out.getBuffer().setLength(0);
        err.getBuffer().setLength(0);
        environment.putIfAbsent(
                "OUTBOX_RELAY_SCHEMAS_REGISTRY_URL", server.url().toString());
        CommandLine command =
                Main.commandLine(environment).setOut(new PrintWriter(out, true)).setErr(new PrintWriter(err, true));
        String[] all = new String[arguments.length + 1];
        all[0] = "schemas";
        System.arraycopy(arguments, 0, all, 1, arguments.length);
        return command.execute(all);
    }

    private void contracts(String subject, String... versions) throws IOException {
        Files.writeString(
                folder.resolve("contracts.yaml"),
                "owner: shop\nsubjects:\n  %s: {event-type: Paid}\n".formatted(subject));
        Path files = Files.createDirectories(folder.resolve(subject));
        for (int number = 1; number <= versions.length; number++) {
            Files.writeString(files.resolve("v" + number + ".avsc"), versions[number - 1]);
        }
    }
}
