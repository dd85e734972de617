package io.outboxrelay.relay.database;

import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * One outbox as its database shows it.
 *
 * @param lagSeconds age of the oldest event that is not yet published, by the database's clock; 0 without backlog
 * @param lanes all lanes, in order
 * @param instances the relays that are alive
 * @param failures events that left the outbox unpublished, how many by state, in the order of the states' names
 * @param pauses the routes that are paused
 */
public record Overview(
        double lagSeconds, List<Lane> lanes, List<String> instances, Map<String, Long> failures, List<Pause> pauses) {

    /** Nothing is known. */
    public static final Overview NONE = new Overview(0, List.of(), List.of(), Map.of(), List.of());

    /**
     * One lane.
     *
     * @param lane its number
     * @param owner the relay that holds its lease; null for none
     * @param epoch how often the owner has changed
     * @param leaseSeconds what is left of the lease; 0 when it has run out or there is none
     * @param backlogEvents events that are not yet published
     */
    public record Lane(int lane, @Nullable String owner, long epoch, double leaseSeconds, long backlogEvents) {}

    /**
     * A paused route.
     *
     * @param aggregateType only of aggregates of this type; {@code *} for any
     * @param eventType only events of this type; {@code *} for any
     * @param pausedBy by whom
     * @param pausedSeconds for how long
     * @param reason why
     */
    public record Pause(String aggregateType, String eventType, String pausedBy, double pausedSeconds, String reason) {}
}
