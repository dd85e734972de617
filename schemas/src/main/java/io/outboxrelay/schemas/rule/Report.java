package io.outboxrelay.schemas.rule;

import java.util.List;
import java.util.stream.Stream;

/**
 * What was looked at and what was found.
 *
 * @param checks in the order in which they were made
 */
public record Report(List<Check> checks) {

    public Report {
        checks = List.copyOf(checks);
    }

    /** How a report is written. */
    public enum Format {
        /** For people. */
        TEXT,
        /** For programs; names in it stay. */
        JSON,
        /** For build servers: a test case for each check. */
        JUNIT
    }

    /** {@return whether the build must stop} */
    public boolean hasErrors() {
        return errors() > 0;
    }

    /** {@return the findings that must stop the build} */
    public long errors() {
        return findings().filter(Finding::isError).count();
    }

    /** {@return the findings that somebody should know of} */
    public long warnings() {
        return findings().count() - errors();
    }

    /**
     * Puts two reports together.
     *
     * @param other what was looked at later
     * @return both
     */
    public Report and(Report other) {
        return new Report(Stream.concat(checks.stream(), other.checks.stream()).toList());
    }

    /**
     * Writes the report.
     *
     * @param format how
     * @return the text, its last line ended
     */
    public String in(Format format) {
        return switch (format) {
            case TEXT -> TextReport.of(this);
            case JSON -> JsonReport.of(this);
            case JUNIT -> JunitReport.of(this);
        };
    }

    Stream<Finding> findings() {
        return checks.stream().flatMap(check -> check.findings().stream());
    }
}
