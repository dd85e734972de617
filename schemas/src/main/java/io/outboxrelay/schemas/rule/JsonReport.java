package io.outboxrelay.schemas.rule;

import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** A report for programs. */
final class JsonReport {

    private static final JsonMapper JSON = new JsonMapper();

    private JsonReport() {}

    static String of(Report report) {
        ObjectNode json = JSON.createObjectNode();
        json.put("errors", report.errors());
        json.put("warnings", report.warnings());
        ArrayNode checks = json.putArray("checks");
        for (Check check : report.checks()) {
            ObjectNode node = checks.addObject().put("name", check.name());
            ArrayNode findings = node.putArray("findings");
            check.findings().forEach(finding -> add(findings.addObject(), finding));
        }
        return json.toPrettyString() + "\n";
    }

    private static void add(ObjectNode json, Finding finding) {
        json.put("rule", finding.rule().id());
        json.put("severity", finding.rule().severity().toString());
        json.put("file", finding.file());
        json.put("path", finding.path());
        json.put("problem", finding.problem());
        add(json, "before", finding.before());
        add(json, "after", finding.after());
        ArrayNode failing = json.putArray("failing_readers");
        finding.failing().stream()
                .sorted()
                .forEach(readers -> failing.add(readers.name().toLowerCase(Locale.ROOT)));
        json.put("remedy", finding.rule().remedy());
    }

    private static void add(ObjectNode json, String name, Finding.@Nullable Excerpt excerpt) {
        if (excerpt != null) {
            json.putObject(name).put("version", excerpt.version()).put("text", excerpt.text());
        }
    }
}
