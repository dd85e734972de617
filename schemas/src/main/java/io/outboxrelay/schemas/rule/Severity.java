package io.outboxrelay.schemas.rule;

import java.util.Locale;

/** How bad a finding is. */
public enum Severity {
    /** Somebody fails, or reads something else than what was written. The build stops. */
    ERROR,
    /** It works, and somebody should know. */
    WARNING;

    /** In lower case, for people. */
    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT);
    }
}
