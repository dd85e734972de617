package io.outboxrelay.schemas.rule;

import static org.assertj.core.api.Assertions.assertThat;

import io.outboxrelay.schemas.contract.Compatibility;
import java.util.List;
import org.apache.avro.Schema;
import org.junit.jupiter.api.Test;

class SchemaComparisonTest {

    private static final String EVENT =
            "{\"type\": \"record\", \"name\": \"OrderPlaced\", \"namespace\": \"shop\", \"fields\": [%s]}";
    private static final String LINES = """
            {"name": "lines", "doc": "What was bought.", "type": {"type": "array", "items":
              {"type": "record", "name": "Line", "fields": [{"name": "prices", "type": {"type": "map", "values": "%s"}}]}}}""";

    @Test
    void a_finding_names_place_file_texts_and_who_fails() {
        Finding finding = only(compare(LINES.formatted("int"), LINES.formatted("long"), Compatibility.FULL));

        assertThat(finding.rule()).isEqualTo(Rule.TYPE_CHANGED);
        assertThat(finding.file()).isEqualTo("orders/v2.avsc");
        assertThat(finding.path()).isEqualTo("OrderPlaced.lines[].prices{}");
        assertThat(finding.before()).isEqualTo(new Finding.Excerpt("v1", "\"int\""));
        assertThat(finding.after()).isEqualTo(new Finding.Excerpt("v2", "\"long\""));
        assertThat(finding.whoFails()).isEqualTo("readers of v1, when they get events of v2");
    }

    @Test
    void who_fails_may_be_both() {
        Finding finding = only(compare(
                "{\"name\": \"a\", \"type\": \"int\"}", "{\"name\": \"a\", \"type\": \"string\"}", Compatibility.FULL));

        assertThat(finding.whoFails())
                .isEqualTo("readers of v1, when they get events of v2; readers of v2, when they get events of v1");
    }

    @Test
    void a_field_is_shown_without_words_and_without_the_fields_of_its_records() {
        Finding finding = only(compare("", LINES.formatted("int"), Compatibility.BACKWARD));

        assertThat(finding.path()).isEqualTo("OrderPlaced.lines");
        assertThat(finding.before()).isEqualTo(new Finding.Excerpt("v1", "no such field"));
        assertThat(finding.after())
                .isEqualTo(new Finding.Excerpt(
                        "v2", "{\"name\":\"lines\",\"type\":{\"type\":\"array\",\"items\":\"Line\"}}"));
    }

    @Test
    void a_branch_of_a_choice_is_in_the_path_and_that_of_a_nullable_is_not() {
        String choice = "{\"name\": \"a\", \"type\": [\"string\", {\"type\": \"array\", \"items\": \"%s\"}]}";
        String nullable = "{\"name\": \"a\", \"type\": [\"null\", {\"type\": \"array\", \"items\": \"%s\"}]}";

        assertThat(only(compare(choice.formatted("int"), choice.formatted("long"), Compatibility.FULL))
                        .path())
                .isEqualTo("OrderPlaced.a(array)[]");
        assertThat(only(compare(nullable.formatted("int"), nullable.formatted("long"), Compatibility.FULL))
                        .path())
                .isEqualTo("OrderPlaced.a[]");
    }

    @Test
    void far_apart_what_stands_in_the_place_of_an_old_field_is_not_taken_for_it() {
        ComparedVersion old = version("v1", "{\"name\": \"a\", \"type\": \"int\", \"default\": 0}");
        ComparedVersion now = version("v3", "{\"name\": \"b\", \"type\": \"int\", \"default\": 0}");

        assertThat(SchemaComparison.compareFar(old, now, Compatibility.FULL)).isEmpty();
        assertThat(SchemaComparison.compare(old, now, Compatibility.FULL)).hasSize(1);
    }

    @Test
    void every_change_of_a_schema_is_found_and_words_are_none() {
        Schema old = version("v1", LINES.formatted("int")).schema();
        Schema now = version(
                        "v2",
                        LINES.formatted("long").replace("What", "That") + ", {\"name\": \"b\", \"type\": \"int\"}")
                .schema();

        assertThat(SchemaChange.between(old, now))
                .containsExactly(
                        new SchemaChange(
                                "OrderPlaced.lines[].prices",
                                "{\"name\":\"prices\",\"type\":{\"type\":\"map\",\"values\":\"int\"}}",
                                "{\"name\":\"prices\",\"type\":{\"type\":\"map\",\"values\":\"long\"}}"),
                        new SchemaChange("OrderPlaced.b", null, "{\"name\":\"b\",\"type\":\"int\"}"));
        assertThat(SchemaChange.between(now, now)).isEmpty();
    }

    private static List<Finding> compare(String old, String now, Compatibility mode) {
        return SchemaComparison.compare(version("v1", old), version("v2", now), mode);
    }

    private static ComparedVersion version(String name, String fields) {
        return new ComparedVersion(
                name, "orders/" + name + ".avsc", new Schema.Parser().parse(EVENT.formatted(fields)));
    }

    private static Finding only(List<Finding> findings) {
        assertThat(findings).hasSize(1);
        return findings.get(0);
    }
}
