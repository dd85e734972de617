package io.outboxrelay.relay.lane;

import io.outboxrelay.relay.lane.Outcome.Reason;
import org.slf4j.Marker;
import org.slf4j.MarkerFactory;

/**
 * The sections of {@code docs/troubleshooting.md}. Every warning and every error that is logged carries the marker of
 * one, and the log shows its address.
 */
public final class Help {

    public static final Marker ALREADY_DELETED = section("already-deleted");
    public static final Marker BROKER_BLOCKED = section("broker-blocked");
    public static final Marker BROKER_CONNECTION = section("broker-connection");
    public static final Marker CONFIGURATION = section("configuration");
    public static final Marker DATABASE = section("database");
    public static final Marker DATABASE_REPLACED = section("database-replaced");
    public static final Marker EVENT_DROPPED = section("event-dropped");
    public static final Marker EVENTS_BELOW_FLOOR = section("events-below-floor");
    public static final Marker HEADERS_NOT_SENT = section("headers-not-sent");
    public static final Marker LANE_NOT_RELEASED = section("lane-not-released");
    public static final Marker LANE_TAKEN = section("lane-taken");
    public static final Marker MANAGEMENT_API = section("management-api");
    public static final Marker NO_CHANNEL = section("no-channel");
    public static final Marker NOT_DRAINED = section("not-drained");
    public static final Marker OPEN_TRANSACTION = section("open-transaction");
    public static final Marker OPEN_TRANSACTIONS_UNSEEN = section("open-transactions-unseen");
    public static final Marker POSITION_SEQUENCE = section("position-sequence");
    public static final Marker RETENTION_LOCKED = section("retention-locked");
    public static final Marker THREAD_DIED = section("thread-died");
    public static final Marker VERIFICATION_OFF = section("verification-off");
    public static final Marker WAKEUP_OFF = section("wakeup-off");

    private Help() {}

    /** The section about one reason for which an event fails. */
    public static Marker about(Reason reason) {
        return section(reason.word());
    }

    private static Marker section(String anchor) {
        return MarkerFactory.getMarker(anchor);
    }
}
