package io.outboxrelay.relay.database;

import io.outboxrelay.relay.database.CommandActs.LaneAndLag;
import io.outboxrelay.relay.database.OutboxStore.StateCount;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * The state of one outbox, as its database shows it.
 *
 * @param lagSeconds age of the oldest event in the outbox, by the database's clock; 0 when it is empty
 * @param oldestSeconds age of the oldest event that is not delivered, in the outbox or failed; 0 when there are none
 * @param lanes all lanes, in order
 * @param instances the live relays
 * @param failures number of failures by state, in the order of the states' names
 * @param pauses the paused routes
 */
public record Overview(
        double lagSeconds,
        double oldestSeconds,
        List<Lane> lanes,
        List<String> instances,
        Map<String, Long> failures,
        List<Pause> pauses) {

    /** Nothing is known. */
    public static final Overview NONE = new Overview(0, 0, List.of(), List.of(), Map.of(), List.of());

    /** Reads it by the acts of a kind of database, each a statement of its own. */
    static Overview read(CommandActs sql) {
        List<LaneAndLag> lanes = sql.lanes();
        List<StateCount> states = sql.countByState();
        double lag = lanes.stream().mapToDouble(LaneAndLag::lagSeconds).max().orElse(0);
        Map<String, Long> failures = new TreeMap<>();
        states.forEach(state -> failures.put(state.state(), state.events()));
        return new Overview(
                lag,
                states.stream().mapToDouble(StateCount::oldestSeconds).reduce(lag, Math::max),
                lanes.stream().map(LaneAndLag::lane).toList(),
                sql.instances(),
                failures,
                sql.pausesNow());
    }

    /** {@return how many events are in the outbox} */
    public long backlogEvents() {
        return lanes.stream().mapToLong(Lane::backlogEvents).sum();
    }

    /** {@return how many events are not delivered: those in the outbox and all failures} */
    public long undeliveredEvents() {
        return backlogEvents()
                + failures.values().stream().mapToLong(Long::longValue).sum();
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
