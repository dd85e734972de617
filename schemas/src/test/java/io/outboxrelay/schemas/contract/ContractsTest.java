package io.outboxrelay.schemas.contract;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.assertj.core.api.Assertions.tuple;

import java.io.IOException;
import java.io.OutputStream;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDate;
import java.util.List;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.apache.avro.Schema;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ContractsTest {

    private static final String MONEY = """
            {"type": "record", "name": "Money", "namespace": "shop", "fields": [
              {"name": "cents", "type": "long"}%s
            ]}""";

    private static final String PLACED_WITH =
            "{\"type\": \"record\", \"name\": \"P\", \"fields\": [{\"name\": \"f\", \"type\": %s}]}";

    @TempDir
    Path temporary;

    @TempDir
    Path jars;

    @Test
    void a_contract_has_what_is_agreed_about_it_and_all_versions() {
        Contracts contracts = Contracts.read(twoVersions().folder());

        Contract contract = contracts.bySubject("orders.placed").orElseThrow();
        assertThat(contract.eventType()).isEqualTo("Placed");
        assertThat(contract.owner()).isEqualTo("team-orders");
        assertThat(contract.compatibility()).isEqualTo(Compatibility.BACKWARD);
        assertThat(contract.deprecated()).isEqualTo(LocalDate.of(2027, 3, 31));
        assertThat(contract.versions()).extracting(ContractVersion::number).containsExactly(1, 2);
        assertThat(contract.newest().schema().getField("f2")).isNotNull();
        assertThat(contract.version(1)).contains(contract.versions().get(0));
        assertThat(contract.version(3)).isEmpty();
    }

    @Test
    void what_is_said_at_the_top_holds_for_subjects_that_say_nothing() {
        folder().with("contracts.yaml", "owner: all\nsubjects:\n  a: {}\n  b:\n")
                .withVersion("a", 1)
                .with("b/v1.avsc", MONEY.formatted(""));

        Contracts contracts = Contracts.read(temporary);

        assertThat(contracts.all())
                .extracting(Contract::subject, Contract::owner, Contract::eventType, Contract::compatibility)
                .containsExactly(
                        tuple("a", "all", "OrderPlaced", Compatibility.FULL_TRANSITIVE),
                        tuple("b", "all", "Money", Compatibility.FULL_TRANSITIVE));
        assertThat(contracts.bySubject("a").orElseThrow().deprecated()).isNull();
    }

    @Test
    void contracts_are_found_by_event_type_and_versions_by_their_whole_schema() {
        Contracts contracts = Contracts.read(twoVersions().folder());
        Contract contract = contracts.bySubject("orders.placed").orElseThrow();
        Schema other = new Schema.Parser()
                .parse(contract.version(1).orElseThrow().text().replace("\"string\"", "{\"type\":\"string\",\"x\":1}"));

        assertThat(contracts.byEventType("Placed")).contains(contract);
        assertThat(contracts.byEventType("OrderPlaced")).isEmpty();
        assertThat(contracts.bySchema(
                        new Schema.Parser().parse(contract.versions().get(0).text())))
                .contains(contract.versions().get(0));
        assertThat(contracts.bySchema(other)).isEmpty();
    }

    @Test
    void a_jar_is_read_as_its_folder_is() throws IOException {
        Contracts folder = Contracts.read(twoVersions().folder());

        assertThat(identities(Contracts.read(jar("contracts/")))).isEqualTo(identities(folder));
        assertThat(identities(Contracts.read(jar("")))).isEqualTo(identities(folder));
    }

    @Test
    void all_trees_of_a_class_path_are_read_from_folders_and_jars() throws IOException {
        Path orders = temporary.resolve("orders");
        sharedMoney(new ContractFolder(orders.resolve("contracts")));
        Path stock = temporary.resolve("stock");
        new ContractFolder(stock)
                .with("contracts.yaml", "owner: x\nsubjects: {stock: {}}")
                .withVersion("stock", 1);
        URL[] classPath = {
            orders.toUri().toURL(), zip(stock, "contracts/").toUri().toURL()
        };

        try (URLClassLoader classes = new URLClassLoader(classPath, null)) {
            assertThat(Contracts.onClassPath(classes).all())
                    .extracting(Contract::subject)
                    .containsExactly("paid", "refunded", "stock");
        }
        try (URLClassLoader nothing = new URLClassLoader(new URL[0], null)) {
            assertThat(Contracts.onClassPath(nothing).all()).isEmpty();
        }
    }

    @Test
    void a_version_keeps_the_version_of_a_shared_type_that_it_says() {
        sharedMoney(folder())
                .with("shared/money/v2.avsc", MONEY.formatted(", {\"name\": \"currency\", \"type\": \"string\"}"));

        Contracts contracts = Contracts.read(temporary);

        Schema first = contracts.bySubject("paid").orElseThrow().newest().schema();
        assertThat(first.getField("amount").schema().getFields()).hasSize(1);
        assertThat(new Schema.Parser().parse(first.toString())).isEqualTo(first);
        assertThat(first.toString()).doesNotContain("uses");
    }

    @Test
    void shared_types_may_use_shared_types_and_two_ways_to_one_are_one() {
        sharedMoney(folder()).with("shared/price/v1.avsc", """
                        {"type": "record", "name": "Price", "namespace": "shop", "uses": ["money/v1"], "fields": [
                          {"name": "net", "type": "Money"}]}""").with("paid/v2.avsc", """
                        {"type": "record", "name": "Paid", "namespace": "shop", "uses": ["price/v1", "money/v1"], "fields": [
                          {"name": "price", "type": "Price"}, {"name": "amount", "type": "Money"}]}""");

        Schema paid = Contracts.read(temporary)
                .bySubject("paid")
                .orElseThrow()
                .newest()
                .schema();

        assertThat(NamedTypes.of(paid)).containsOnlyKeys("shop.Paid", "shop.Price", "shop.Money");
    }

    @Test
    void two_versions_of_a_shared_type_cannot_be_used_together() {
        sharedMoney(folder())
                .with("shared/money/v2.avsc", MONEY.formatted(", {\"name\": \"x\", \"type\": \"int\"}"))
                .with("paid/v2.avsc", """
                        {"type": "record", "name": "Paid", "namespace": "shop", "uses": ["money/v1", "money/v2"], "fields": [
                          {"name": "amount", "type": "Money"}]}""");

        assertThat(faults()).singleElement().asString().contains("paid/v2.avsc", "shop.Money", "two versions of one");
    }

    @Test
    void every_fault_of_a_tree_is_reported_at_once_with_its_line() {
        folder().with("contracts.yaml", """
                        owner: x
                        compatibilty: FULL
                        subjects:
                          a:
                            compatibility: BACKWARDS
                            deprecated: tomorrow
                            colour: red
                          b.placed: {}
                          shared: {}
                          c: {owner: [1]}
                          c: {}
                        """)
                .withVersion("a", 1)
                .withVersion("a", 3)
                .withVersion("b.place", 1)
                .with("c/v1.avsc", "{\"type\": \"record\"");

        assertThat(faults())
                .extracting(fault -> fault.toString().replace(temporary + "/", ""))
                .satisfiesExactly(
                        fault -> assertThat(fault)
                                .startsWith("contracts.yaml line 2: ")
                                .endsWith("Did you mean compatibility?"),
                        fault -> assertThat(fault).contains("line 11", "given twice"),
                        fault -> assertThat(fault).contains("line 7", "\"colour\" is not a key"),
                        fault -> assertThat(fault).contains("line 5").endsWith("Did you mean BACKWARD?"),
                        fault -> assertThat(fault).contains("line 6", "not a date"),
                        fault -> assertThat(fault).contains("line 9", "cannot be a subject"),
                        fault -> assertThat(fault).contains("line 10", "\"owner\" must be a single value"),
                        fault -> assertThat(fault)
                                .contains("line 8", "b.placed/v1.avsc")
                                .endsWith("Did you mean b.place?"),
                        fault -> assertThat(fault).startsWith("c/v1.avsc: This is not JSON near line 1"),
                        fault -> assertThat(fault).startsWith("a/v3.avsc: ").contains("without gaps"),
                        fault -> assertThat(fault)
                                .startsWith("b.place/v1.avsc: ")
                                .endsWith("Did you mean b.placed?"));
    }

    @Test
    void a_schema_that_is_wrong_is_reported_with_its_file() {
        folder().with("contracts.yaml", "owner: x\nsubjects: {a: {}, b: {}, c: {}, d: {}, e: {}, f: {}, g: {}}")
                .with("a/v1.avsc", "[\"string\"]")
                .with("b/v1.avsc", "{\"type\": \"enum\", \"name\": \"B\", \"symbols\": [\"X\"]}")
                .with("c/v1.avsc", PLACED_WITH.formatted("\"Money\""))
                .with("d/v1.avsc", PLACED_WITH.formatted("\"int\", \"default\": \"zero\""))
                .with("e/v1.avsc", PLACED_WITH.formatted("\"int\", \"type\": \"long\""))
                .with(
                        "f/v1.avsc",
                        PLACED_WITH
                                .formatted("\"int\"")
                                .replace("{\"type\": \"rec", "{\"uses\": [\"money/1\"], \"type\": \"rec"))
                .with(
                        "g/v1.avsc",
                        PLACED_WITH
                                .formatted("\"int\"")
                                .replace("{\"type\": \"rec", "{\"uses\": [\"money/v1\"], \"type\": \"rec"))
                .with(
                        "shared/loop/v1.avsc",
                        "{\"type\": \"record\", \"name\": \"L\", \"uses\": [\"loop/v1\"], \"fields\": []}");

        assertThat(faults())
                .extracting(fault -> fault.toString().replace(temporary + "/", ""))
                .satisfiesExactly(
                        fault -> assertThat(fault).startsWith("a/v1.avsc: A schema is a JSON object"),
                        fault -> assertThat(fault)
                                .startsWith("b/v1.avsc: An event is a record")
                                .contains("enum"),
                        fault -> assertThat(fault).startsWith("c/v1.avsc: ").contains("Money", "\"uses\""),
                        fault -> assertThat(fault).startsWith("d/v1.avsc: ").contains("default"),
                        fault -> assertThat(fault).startsWith("e/v1.avsc: ").contains("type"),
                        fault -> assertThat(fault).startsWith("f/v1.avsc: ").contains("money/1"),
                        fault -> assertThat(fault).startsWith("g/v1.avsc: ").contains("no file shared/money/v1.avsc"),
                        fault -> assertThat(fault).startsWith("shared/loop/v1.avsc: It uses itself"));
    }

    @Test
    void what_is_used_must_be_named() {
        sharedMoney(folder())
                .with(
                        "paid/v2.avsc",
                        "{\"type\": \"record\", \"name\": \"Paid\", \"uses\": [\"money/v1\"], \"fields\": []}");

        assertThat(faults()).singleElement().asString().contains("paid/v2.avsc", "names shop.Money nowhere");
    }

    @Test
    void two_versions_that_differ_only_in_words_are_one() {
        folder().with("contracts.yaml", "owner: x\nsubjects: {a: {}}")
                .withVersion("a", 1)
                .with(
                        "a/v2.avsc",
                        ContractFolder.PLACED
                                .formatted("")
                                .replace("\"type\": \"record\"", "\"type\": \"record\", \"doc\": \"!\""));

        assertThat(faults()).singleElement().asString().contains("a/v2.avsc", "same schema as a v1");
    }

    @Test
    void two_contracts_cannot_have_the_same_event_type() {
        folder().with("contracts.yaml", "owner: x\nsubjects: {a: {}, b: {}}")
                .withVersion("a", 1)
                .with("b/v1.avsc", ContractFolder.PLACED.formatted("").replace("\"string\"", "\"bytes\""));

        assertThat(faults()).singleElement().asString().contains("event type OrderPlaced is that of a");
    }

    @Test
    void a_folder_without_agreements_is_refused() {
        assertThat(faults()).singleElement().asString().contains("contracts.yaml: There is no such file");

        folder().with("contracts.yaml", "");
        assertThat(faults()).singleElement().asString().contains("empty");

        folder().with("contracts.yaml", "a: [");
        assertThat(faults()).singleElement().asString().contains("not YAML near line 1");
    }

    @Test
    void other_files_may_lie_beside_contracts() {
        twoVersions().with("README.md", "Ours.").with("orders.placed/why.txt", "Because.");

        assertThat(Contracts.read(temporary).all()).hasSize(1);
    }

    @Test
    void the_examples_of_the_documentation_can_be_read() throws IOException {
        String page = Files.readString(Path.of("..", "docs", "contracts.md"));
        folder().with("contracts.yaml", block(page, "yaml"))
                .with("shared/money/v1.avsc", MONEY.formatted(""))
                .with("orders.order-placed/v1.avsc", block(page, "json"))
                .with("orders.order-paid/v1.avsc", MONEY.formatted(""));

        Contract placed =
                Contracts.read(temporary).bySubject("orders.order-placed").orElseThrow();

        assertThat(placed.owner()).isEqualTo("checkout@shop.example");
        assertThat(placed.newest().schema().getField("total").schema().getName())
                .isEqualTo("Money");
    }

    private static String block(String page, String language) {
        int start = page.indexOf("```" + language + "\n") + language.length() + 4;
        return page.substring(start, page.indexOf("\n```", start));
    }

    private ContractFolder folder() {
        return new ContractFolder(temporary);
    }

    private ContractFolder twoVersions() {
        return folder().with("contracts.yaml", """
                        subjects:
                          orders.placed:
                            event-type: Placed
                            owner: team-orders
                            compatibility: BACKWARD
                            deprecated: 2027-03-31
                        """)
                .withVersion("orders.placed", 1)
                .withVersion("orders.placed", 2);
    }

    private static ContractFolder sharedMoney(ContractFolder folder) {
        return folder.with("contracts.yaml", "owner: x\nsubjects: {paid: {}, refunded: {}}")
                .with("shared/money/v1.avsc", MONEY.formatted(""))
                .with("paid/v1.avsc", """
                        {"type": "record", "name": "Paid", "namespace": "shop", "uses": ["money/v1"], "fields": [
                          {"name": "amount", "type": "Money"}]}""")
                .with("refunded/v1.avsc", """
                        {"type": "record", "name": "Refunded", "namespace": "bank", "uses": ["money/v1"], "fields": [
                          {"name": "amount", "type": ["null", "shop.Money"], "default": null}]}""");
    }

    private List<ContractFault> faults() {
        return catchThrowableOfType(ContractsException.class, () -> Contracts.read(temporary))
                .faults();
    }

    private static List<SchemaIdentity> identities(Contracts contracts) {
        return contracts.all().stream()
                .flatMap(contract -> contract.versions().stream())
                .map(ContractVersion::identity)
                .toList();
    }

    private Path jar(String below) throws IOException {
        return zip(temporary, below);
    }

    private Path zip(Path folder, String below) throws IOException {
        Path jar = Files.createTempFile(jars, "contracts", ".jar");
        try (OutputStream file = Files.newOutputStream(jar);
                ZipOutputStream zip = new ZipOutputStream(file);
                Stream<Path> files = Files.walk(folder)) {
            for (Path each : files.filter(Files::isRegularFile).toList()) {
                zip.putNextEntry(new ZipEntry(below + folder.relativize(each)));
                zip.write(Files.readAllBytes(each));
                zip.closeEntry();
            }
        }
        return jar;
    }
}
