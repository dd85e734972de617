package io.outboxrelay.schemas.rule;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.StringReader;
import java.util.List;
import java.util.Set;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.Test;
import org.w3c.dom.Document;
import org.xml.sax.InputSource;

class ReportTest {

    private static final Finding ERROR = new Finding(
            Rule.DEFAULT_CHANGED,
            "orders/v2.avsc",
            "OrderPlaced.currency",
            new Finding.Excerpt("v1", "{\"default\":\"<EUR>\"}"),
            new Finding.Excerpt("v2", "{\"default\":\"\u0001\"}"),
            Set.of(Readers.NEW),
            "The default has changed.");

    private static final Finding WARNING =
            Finding.single(Rule.ENUM_WITHOUT_DEFAULT, "orders/v2.avsc", "State", "The enum has no default.");

    private static final Report REPORT = new Report(List.of(
            new Check("orders v2 is compatible with v1", List.of(ERROR)),
            new Check("orders v2 is well described", List.of(WARNING)),
            new Check("paid v1 is well described", List.of())));

    @Test
    void for_people_each_finding_is_a_paragraph_and_the_last_line_counts() {
        assertThat(REPORT.in(Report.Format.TEXT))
                .isEqualTo("""
                        orders/v2.avsc: error default-changed at OrderPlaced.currency
                          The default has changed.
                          v1: {"default":"<EUR>"}
                          v2: {"default":"\u0001"}
                          who fails: readers of v2, when they get events of v1
                          what to do: %s
                          more: docs/schema-rules.md#default-changed

                        orders/v2.avsc: warning enum-without-default at State
                          The enum has no default.
                          what to do: %s
                          more: docs/schema-rules.md#enum-without-default

                        3 checks, 1 error, 1 warning
                        """.formatted(Rule.DEFAULT_CHANGED.remedy(), Rule.ENUM_WITHOUT_DEFAULT.remedy()));
    }

    @Test
    void for_programs_everything_has_a_name() throws Exception {
        JsonNode json = new JsonMapper().readTree(REPORT.in(Report.Format.JSON));

        assertThat(json.get("errors").asInt()).isEqualTo(1);
        assertThat(json.get("warnings").asInt()).isEqualTo(1);
        assertThat(json.get("checks")).hasSize(3);
        JsonNode finding = json.at("/checks/0/findings/0");
        assertThat(finding.get("rule").asText()).isEqualTo("default-changed");
        assertThat(finding.get("severity").asText()).isEqualTo("error");
        assertThat(finding.get("path").asText()).isEqualTo("OrderPlaced.currency");
        assertThat(finding.at("/before/version").asText()).isEqualTo("v1");
        assertThat(finding.at("/after/text").asText()).isEqualTo("{\"default\":\"\u0001\"}");
        assertThat(finding.at("/failing_readers/0").asText()).isEqualTo("new");
        assertThat(finding.get("remedy").asText()).isEqualTo(Rule.DEFAULT_CHANGED.remedy());
    }

    @Test
    void for_build_servers_a_check_is_a_test_case_and_a_warning_does_not_fail_it() throws Exception {
        Document xml = DocumentBuilderFactory.newInstance()
                .newDocumentBuilder()
                .parse(new InputSource(new StringReader(REPORT.in(Report.Format.JUNIT))));

        assertThat(xml.getDocumentElement().getAttribute("tests")).isEqualTo("3");
        assertThat(xml.getDocumentElement().getAttribute("failures")).isEqualTo("1");
        assertThat(xml.getElementsByTagName("testcase").getLength()).isEqualTo(3);
        assertThat(xml.getElementsByTagName("failure").getLength()).isEqualTo(1);
        assertThat(xml.getElementsByTagName("failure").item(0).getTextContent())
                .contains("<EUR>", "who fails", "default\":\"?\"");
        assertThat(xml.getElementsByTagName("system-out").item(0).getTextContent())
                .contains("enum-without-default");
    }

    @Test
    void only_errors_stop_the_build() {
        assertThat(REPORT.hasErrors()).isTrue();
        assertThat(new Report(List.of(new Check("x", List.of(WARNING)))).hasErrors())
                .isFalse();
    }
}
