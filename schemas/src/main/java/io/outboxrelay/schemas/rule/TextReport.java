package io.outboxrelay.schemas.rule;

import java.util.List;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** A report for people. */
final class TextReport {

    private static final int LONGEST_EXCERPT = 400;

    private TextReport() {}

    static String of(Report report) {
        return report.findings().map(finding -> of(finding) + "\n").collect(Collectors.joining()) + counts(report);
    }

    static String of(Finding finding) {
        StringBuilder text = new StringBuilder();
        text.append("%s: %s %s at %s%n"
                .formatted(
                        finding.file(),
                        finding.rule().severity(),
                        finding.rule().id(),
                        finding.path()));
        text.append("  ").append(finding.problem()).append('\n');
        excerpt(text, finding.before());
        excerpt(text, finding.after());
        if (!finding.whoFails().isEmpty()) {
            text.append(finding.isError() ? "  who fails: " : "  who is affected: ")
                    .append(finding.whoFails())
                    .append('\n');
        }
        text.append("  what to do: ").append(finding.rule().remedy()).append('\n');
        return text.append("  more: docs/schema-rules.md#")
                .append(finding.rule().id())
                .append('\n')
                .toString();
    }

    private static void excerpt(StringBuilder text, Finding.@Nullable Excerpt excerpt) {
        if (excerpt != null) {
            String shown = excerpt.text().length() > LONGEST_EXCERPT
                    ? excerpt.text().substring(0, LONGEST_EXCERPT) + "…"
                    : excerpt.text();
            text.append("  ")
                    .append(excerpt.version())
                    .append(": ")
                    .append(shown)
                    .append('\n');
        }
    }

    private static String counts(Report report) {
        List<String> counts = List.of(
                count(report.checks().size(), "check"),
                count(report.errors(), "error"),
                count(report.warnings(), "warning"));
        return String.join(", ", counts) + "\n";
    }

    private static String count(long number, String noun) {
        return number + " " + noun + (number == 1 ? "" : "s");
    }
}
