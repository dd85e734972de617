package io.outboxrelay.relay.operations;

import io.outboxrelay.relay.database.Overview;
import org.jspecify.annotations.Nullable;

/**
 * One source as its database shows it.
 *
 * @param name the source's name
 * @param problem why nothing more is known, in a sentence; null when all is known
 * @param reachable whether the database answered
 * @param schemaVersion version of the outbox tables; null when unknown or not installed
 * @param overview what is in the tables; {@link Overview#NONE} when nothing is known
 */
record SourceStatus(
        String name,
        boolean reachable,
        @Nullable String problem,
        @Nullable Integer schemaVersion,
        Overview overview) {

    static SourceStatus unreachable(String name, String problem) {
        return new SourceStatus(name, false, problem, null, Overview.NONE);
    }

    static SourceStatus notUsable(String name, @Nullable Integer schemaVersion, String problem) {
        return new SourceStatus(name, true, problem, schemaVersion, Overview.NONE);
    }

    /** Events of all lanes that are not yet published. */
    long backlogEvents() {
        return overview.lanes().stream().mapToLong(Overview.Lane::backlogEvents).sum();
    }
}
