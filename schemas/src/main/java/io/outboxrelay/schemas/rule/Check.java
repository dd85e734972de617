package io.outboxrelay.schemas.rule;

import java.util.List;

/**
 * One thing that was looked at.
 *
 * @param name what, for people
 * @param findings what is wrong with it; empty if nothing is
 */
public record Check(String name, List<Finding> findings) {

    public Check {
        findings = List.copyOf(findings);
    }
}
