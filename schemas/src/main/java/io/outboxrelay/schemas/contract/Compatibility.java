package io.outboxrelay.schemas.contract;

/**
 * What a new version of a contract promises to those who use another version. The names are those of the <a
 * href="https://docs.confluent.io/platform/current/schema-registry/fundamentals/schema-evolution.html">registries</a>.
 */
public enum Compatibility {
    /** Readers of the new version understand events written with the one before: consumers may move first. */
    BACKWARD(true, false, false),
    /** As {@link #BACKWARD}, with every version before. */
    BACKWARD_TRANSITIVE(true, false, true),
    /** Readers of the version before understand events written with the new one: producers may move first. */
    FORWARD(false, true, false),
    /** As {@link #FORWARD}, with every version before. */
    FORWARD_TRANSITIVE(false, true, true),
    /** Both: producers and consumers may move in any order. */
    FULL(true, true, false),
    /** As {@link #FULL}, with every version before. What holds where nothing is said. */
    FULL_TRANSITIVE(true, true, true),
    /** Nothing is promised. */
    NONE(false, false, false);

    private final boolean newReadsOld;
    private final boolean oldReadsNew;
    private final boolean transitive;

    Compatibility(boolean newReadsOld, boolean oldReadsNew, boolean transitive) {
        this.newReadsOld = newReadsOld;
        this.oldReadsNew = oldReadsNew;
        this.transitive = transitive;
    }

    /** {@return whether readers of the new version must understand what was written with the old} */
    public boolean newReadsOld() {
        return newReadsOld;
    }

    /** {@return whether readers of the old version must understand what is written with the new} */
    public boolean oldReadsNew() {
        return oldReadsNew;
    }

    /** {@return whether this holds towards every version before, not only the last one} */
    public boolean transitive() {
        return transitive;
    }
}
