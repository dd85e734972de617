package io.outboxrelay.relay.operations;

import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * One source as its database shows it.
 *
 * @param name the source's name
 * @param problem why nothing more is known, in a sentence; null when all is known
 * @param reachable whether the database answered
 * @param schemaVersion version of the outbox tables; null when unknown or not installed
 * @param lagSeconds age of the oldest event that is not yet published, by the database's clock; 0 without backlog
 * @param lanes all lanes, in order
 * @param instances the relays that are alive
 * @param failures events that left the outbox unpublished, how many by state, in the order of the states' names
 * @param pauses the routes that are paused
 */
record SourceStatus(
        String name,
        boolean reachable,
        @Nullable String problem,
        @Nullable Integer schemaVersion,
        double lagSeconds,
        List<Lane> lanes,
        List<String> instances,
        Map<String, Long> failures,
        List<Pause> pauses) {

    /**
     * One lane.
     *
     * @param lane its number
     * @param owner the relay that holds its lease; null for none
     * @param epoch how often the owner has changed
     * @param leaseSeconds what is left of the lease; 0 when it has run out or there is none
     * @param backlogEvents events that are not yet published
     */
    record Lane(int lane, @Nullable String owner, long epoch, double leaseSeconds, long backlogEvents) {}

    /**
     * A paused route.
     *
     * @param aggregateType only of aggregates of this type; {@code *} for any
     * @param eventType only events of this type; {@code *} for any
     * @param pausedBy by whom
     * @param pausedSeconds for how long
     * @param reason why
     */
    record Pause(String aggregateType, String eventType, String pausedBy, double pausedSeconds, String reason) {}

    static SourceStatus unreachable(String name, String problem) {
        return new SourceStatus(name, false, problem, null, 0, List.of(), List.of(), Map.of(), List.of());
    }

    static SourceStatus notUsable(String name, @Nullable Integer schemaVersion, String problem) {
        return new SourceStatus(name, true, problem, schemaVersion, 0, List.of(), List.of(), Map.of(), List.of());
    }

    /** Events of all lanes that are not yet published. */
    long backlogEvents() {
        return lanes.stream().mapToLong(Lane::backlogEvents).sum();
    }
}
