package io.outboxrelay.relay;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

/** The commands about contracts, as a shell runs them. */
class SchemasCommandsTest {

    private static final String ORDER = """
            {"type": "record", "name": "OrderPlaced", "namespace": "shop", "doc": "An order.", "fields": [
              {"name": "id", "doc": "Its number.", "type": "%s"}]}""";

    @TempDir
    Path temporary;

    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();

    @BeforeEach
    void one_contract_with_two_versions() throws IOException {
        write("contracts/contracts.yaml", "owner: x\nsubjects:\n  orders: {}\n");
        write("contracts/orders/v1.avsc", ORDER.formatted("string"));
        write(
                "contracts/orders/v2.avsc",
                ORDER.formatted("string")
                        .replace("}]}", "}, {\"name\": \"n\", \"doc\": \"N.\", \"type\": \"int\", \"default\": 0}]}"));
    }

    @Test
    void validate_ends_with_0_when_all_is_well() {
        assertThat(run("validate", contracts())).isZero();
        assertThat(out).hasToString("1 check, 0 errors, 0 warnings\n");
    }

    @Test
    void validate_ends_with_1_when_something_is_not_described_or_cannot_be_read() throws IOException {
        write("contracts/orders/v2.avsc", ORDER.formatted("bytes").replace("\"An order.\"", "\"\""));
        assertThat(run("validate", contracts())).isOne();
        assertThat(out.toString()).contains("orders/v2.avsc: error doc-missing at OrderPlaced");

        write("contracts/orders/v2.avsc", "{");
        assertThat(run("validate", contracts())).isOne();
        assertThat(out.toString()).contains("orders/v2.avsc: error contract-unreadable");
    }

    @Test
    void check_compares_the_versions_with_each_other() throws IOException {
        assertThat(run("check", contracts())).isZero();

        write("contracts/orders/v2.avsc", ORDER.formatted("int"));
        assertThat(run("check", contracts())).isOne();
        assertThat(out.toString())
                .contains(
                        "orders/v2.avsc: error type-changed at OrderPlaced.id",
                        "who fails: readers of v1, when they get events of v2; readers of v2, when they get events of"
                                + " v1",
                        "what to do: Keep the type.");
    }

    @Test
    void check_compares_with_what_is_released() throws IOException {
        write("released/contracts.yaml", "owner: x\nsubjects:\n  orders: {}\n");
        write("released/orders/v1.avsc", ORDER.formatted("string"));
        assertThat(run("check", contracts(), "--released", path("released"))).isZero();

        write("released/orders/v1.avsc", ORDER.formatted("long"));
        assertThat(run("check", contracts(), "--released", path("released"))).isOne();
        assertThat(out.toString()).contains("orders/v1.avsc: error released-version-changed at OrderPlaced.id");
    }

    @Test
    void compare_says_it_of_two_files_in_the_mode_that_is_asked_for() throws IOException {
        write("old.avsc", ORDER.formatted("int"));
        write("new.avsc", ORDER.formatted("long"));

        assertThat(run("compare", path("old.avsc"), path("new.avsc"), "--mode", "BACKWARD"))
                .isZero();
        assertThat(run("compare", path("old.avsc"), path("new.avsc"), "--mode", "forward", "--format", "json"))
                .isOne();
        assertThat(out.toString()).contains("\"rule\" : \"type-changed\"", "\"failing_readers\" : [ \"old\" ]");
    }

    @Test
    void a_report_can_be_read_by_a_build_server() {
        assertThat(run("check", contracts(), "--format", "junit")).isZero();
        assertThat(out.toString()).contains("<testsuite", "orders v2 is compatible with v1 (FULL_TRANSITIVE)");
    }

    @Test
    void docs_writes_pages() {
        assertThat(run("docs", contracts(), "--output", path("site"))).isZero();
        assertThat(out.toString()).contains("index.html");
        assertThat(temporary.resolve("site/subject-orders.html")).exists();
    }

    @Test
    void wrong_use_ends_with_2_and_says_why() throws IOException {
        write("broken.avsc", "{}");

        assertThat(run("validate", path("nothing"))).isEqualTo(2);
        assertThat(err.toString()).contains("nothing cannot be read");
        assertThat(run("docs", path("nothing"), "--output", path("site"))).isEqualTo(2);
        assertThat(run("check", contracts(), "--released-revision", "--all")).isEqualTo(2);
        assertThat(run("check", contracts(), "--released-revision", "a b")).isEqualTo(2);
        assertThat(err.toString()).contains("\"a b\" is not a git revision");
        assertThat(run("check", contracts(), "--released", "x", "--released-revision", "y"))
                .isEqualTo(2);
        assertThat(run("compare", path("broken.avsc"), path("broken.avsc"))).isEqualTo(2);
        assertThat(err.toString()).contains("broken.avsc is not a schema");
        assertThat(run("compare", "a.avsc")).isEqualTo(2);
        assertThat(run("validate", contracts(), "--format", "xml")).isEqualTo(2);
        assertThat(run()).isEqualTo(2);
        assertThat(err.toString()).contains("Say what to do: validate, check");
    }

    private int run(String... arguments) {
        CommandLine command = Main.commandLine(Map.of());
        command.setOut(new PrintWriter(out)).setErr(new PrintWriter(err));
        String[] all = new String[arguments.length + 1];
        all[0] = "schemas";
        System.arraycopy(arguments, 0, all, 1, arguments.length);
        return command.execute(all);
    }

    private String contracts() {
        return path("contracts");
    }

    private String path(String name) {
        return temporary.resolve(name).toString();
    }

    private void write(String name, String text) throws IOException {
        Path file = temporary.resolve(name);
        Files.createDirectories(file.getParent());
        Files.writeString(file, text);
    }
}
