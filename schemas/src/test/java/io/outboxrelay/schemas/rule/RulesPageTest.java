package io.outboxrelay.schemas.rule;

import static org.assertj.core.api.Assertions.assertThat;

import io.outboxrelay.schemas.contract.Compatibility;
import io.outboxrelay.schemas.contract.Contracts;
import io.outboxrelay.schemas.contract.ContractsException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.avro.Schema;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Keeps {@code docs/schema-rules.md} true. */
class RulesPageTest {

    private static final Path PAGE = Path.of("..", "docs", "schema-rules.md");
    private static final Pattern SECTION = Pattern.compile("(?m)^## `([a-z0-9-]+)`\n\n\\*(Error|Warning)\\.\\*");
    private static final Pattern EXAMPLE =
            Pattern.compile("(?m)^([A-Z][^\n]*):\n\n```(json|yaml)\n(.*?)\n```", Pattern.DOTALL);
    private static final String SCHEMA = """
            {"type": "record", "name": "OrderPlaced", "namespace": "shop", "fields": [%s]}""";

    @TempDir
    Path temporary;

    @Test
    void the_page_has_a_section_for_each_rule_and_for_nothing_else() throws IOException {
        assertThat(sections().keySet())
                .containsExactlyElementsOf(
                        Arrays.stream(Rule.values()).map(Rule::id).toList());
    }

    @ParameterizedTest
    @EnumSource
    void the_examples_under_fails_fail_and_those_under_fixed_pass(Rule rule) throws IOException {
        String section = Objects.requireNonNull(sections().get(rule.id()));
        Map<String, String> examples = examples(section);
        String before = examples.getOrDefault(
                "Before", examples.getOrDefault("Released", examples.get("Before, in `BACKWARD`")));
        Compatibility mode = section.contains("in `BACKWARD`:") ? Compatibility.BACKWARD : Compatibility.FULL;

        assertThat(section).startsWith(rule.severity() == Severity.ERROR ? "*Error.*" : "*Warning.*");
        assertThat(findings(rule, mode, before, Objects.requireNonNull(examples.get("Fails"))))
                .extracting(Finding::rule)
                .contains(rule)
                .allMatch(found -> found.severity() == rule.severity());
        assertThat(findings(rule, mode, before, Objects.requireNonNull(examples.get("Fixed"))))
                .isEmpty();
        if (section.contains("*Avro accepts it.*")) {
            Schema old = parsed(Objects.requireNonNull(before));
            Schema now = parsed(examples.get("Fails"));
            assertThat(Resolution.reads(now, old)).isTrue();
            assertThat(Resolution.reads(old, now)).isEqualTo(mode == Compatibility.FULL);
        }
    }

    private List<Finding> findings(Rule rule, Compatibility mode, String before, String after) throws IOException {
        if (before == null) {
            return alone(after);
        }
        if (rule.compareTo(Rule.RELEASED_VERSION_CHANGED) < 0) {
            return SchemaComparison.compare(
                    new ComparedVersion("v1", "v1.avsc", parsed(before)),
                    new ComparedVersion("v2", "v2.avsc", parsed(after)),
                    mode);
        }
        return ContractChecks.compareWithReleased(contracts(after), contracts(before))
                .findings()
                .toList();
    }

    private List<Finding> alone(String example) throws IOException {
        try {
            Contracts contracts = contracts(example);
            return example.startsWith("{")
                    ? ContractChecks.validate(contracts).findings().toList()
                    : List.of();
        } catch (ContractsException e) {
            return ContractChecks.unreadable(e).findings().toList();
        }
    }

    /** A tree with the one subject of the examples, in which the agreements or the schema are as in the example. */
    private Contracts contracts(String example) throws IOException {
        Path tree = Files.createTempDirectory(temporary, "contracts");
        boolean schema = example.startsWith("{");
        Files.writeString(
                tree.resolve("contracts.yaml"), schema ? "owner: x\nsubjects:\n  orders.order-placed: {}\n" : example);
        if (!example.contains("subjects: {}")) {
            Path subject = Files.createDirectory(tree.resolve("orders.order-placed"));
            Files.writeString(subject.resolve("v1.avsc"), schema ? whole(example) : SCHEMA.formatted(""));
        }
        return Contracts.read(tree);
    }

    private static Schema parsed(String example) {
        return new Schema.Parser().parse(whole(example));
    }

    private static String whole(String example) {
        return example.contains("\"record\"") ? example : SCHEMA.formatted(example);
    }

    private static Map<String, String> sections() throws IOException {
        Map<String, String> sections = new LinkedHashMap<>();
        String page = Files.readString(PAGE);
        Matcher matcher = SECTION.matcher(page);
        while (matcher.find()) {
            int end = page.indexOf("\n## ", matcher.end());
            sections.put(
                    matcher.group(1),
                    page.substring(page.indexOf('*', matcher.start()), end < 0 ? page.length() : end));
        }
        return sections;
    }

    private static Map<String, String> examples(String section) {
        Map<String, String> examples = new LinkedHashMap<>();
        Matcher matcher = EXAMPLE.matcher(section);
        while (matcher.find()) {
            examples.put(matcher.group(1), matcher.group(3));
        }
        return examples;
    }
}
