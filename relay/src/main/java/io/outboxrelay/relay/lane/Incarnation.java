package io.outboxrelay.relay.lane;

import org.jspecify.annotations.Nullable;

/**
 * One life of a database server, from its start to its crash or end. What is remembered of a server ends with that life: a
 * crash may undo commits that were answered, and another server may never have had them.
 *
 * @param name what the server calls it; null when it does not know this relay, as after a crash
 */
public record Incarnation(@Nullable String name) {

    /** Nothing remembered holds in it. */
    public static final Incarnation UNKNOWN = new Incarnation(null);

    /** Returns whether what was learned in another one still holds in this one. */
    public boolean continues(Incarnation earlier) {
        return name != null && name.equals(earlier.name);
    }
}
