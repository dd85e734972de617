package io.outboxrelay.relay.database;

import io.outboxrelay.relay.database.CommandActs.LaneAndLag;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The state of one outbox, as its database shows it.
 *
 * @param lagSeconds age of the oldest unpublished event, by the database's clock; 0 without backlog
 * @param lanes all lanes, in order
 * @param instances the live relays
 * @param failures number of failures by state, in the order of the states' names
 * @param pauses the paused routes
 */
public record Overview(
        double lagSeconds, List<Lane> lanes, List<String> instances, Map<String, Long> failures, List<Pause> pauses) {

    /** Nothing is known. */
    public static final Overview NONE = new Overview(0, List.of(), List.of(), Map.of(), List.of());

    /** Reads it by the acts of a kind of database, each a statement of its own. */
    static Overview read(CommandActs sql) {
        List<LaneAndLag> lanes = sql.lanes();
        double lag = lanes.stream().mapToDouble(LaneAndLag::lagSeconds).max().orElse(0);
        return new Overview(
                lag,
                lanes.stream().map(LaneAndLag::lane).toList(),
                sql.instances(),
                sql.countByState(),
                sql.pausesNow());
    }

    static LaneAndLag lane(ResultSet row, int n) throws SQLException {
        return new LaneAndLag(
                new Lane(
                        row.getInt("lane"),
                        row.getString("owner"),
                        row.getLong("epoch"),
                        row.getDouble("lease_seconds"),
                        row.getLong("events")),
                row.getDouble("lag_seconds"));
    }

    static Pause pause(ResultSet row, int n) throws SQLException {
        return new Pause(
                row.getString("aggregate_type"),
                row.getString("event_type"),
                row.getString("paused_by"),
                row.getDouble("paused_seconds"),
                row.getString("reason"));
    }

    /**
     * One lane.
     *
     * @param lane its number
     * @param owner the relay that holds its lease; null for none
     * @param epoch how often the owner has changed
     * @param leaseSeconds seconds until the lease ends; 0 when it has ended or there is none
     * @param backlogEvents unpublished events
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
