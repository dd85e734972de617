package io.outboxrelay.relay.lane;

import org.jspecify.annotations.Nullable;

/**
 * One life of a database server, from its start to its crash or end. What a relay remembers is valid only in that life: a
 * crash may undo commits that were answered, and another server may never have had them.
 *
 * @param name the server's name for it; null when the server does not know this relay, as after a crash
 */
public record Incarnation(@Nullable String name) {

    /** Nothing remembered is valid in it. */
    public static final Incarnation UNKNOWN = new Incarnation(null);

    /** Returns whether what was read in another life is still valid in this one. */
    public boolean continues(Incarnation earlier) {
        return name != null && name.equals(earlier.name);
    }
}
