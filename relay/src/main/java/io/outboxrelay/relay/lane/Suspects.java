package io.outboxrelay.relay.lane;

import io.outboxrelay.relay.lane.Outcome.Reason;
import java.util.HashMap;
import java.util.Map;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * The events that were unanswered when the broker closed the channel or the connection with an error. One of them may
 * be the cause, so each is published alone: the one with which it happens again is the cause. If the connection was
 * closed, which all lanes share, alone means on a connection of the lane's own.
 */
final class Suspects {

    /** More than a lane can have in flight. Beyond it all are forgotten; the cause is suspected again. */
    private static final int MOST = 10_000;

    private final Map<UUID, Reason> ids = new HashMap<>();

    boolean contains(Event event) {
        return !ids.isEmpty() && ids.containsKey(event.id());
    }

    /** Returns whether any of them may have closed the connection. */
    boolean closeConnections() {
        return ids.containsValue(Reason.CLOSES_CONNECTION);
    }

    /** Ends the suspicion of an event. */
    void forget(Event event) {
        if (!ids.isEmpty()) {
            ids.remove(event.id());
        }
    }

    /** Ends the suspicion of all. */
    void clear() {
        ids.clear();
    }

    /**
     * Judges the answer to an event that is no longer in flight.
     *
     * @return the answer, or a refusal if the event has closed channel or connection while it was published alone
     */
    Outcome judge(Event event, Outcome outcome) {
        if (!(outcome instanceof Outcome.Unconfirmed unconfirmed) || unconfirmed.suspected() == null) {
            forget(event);
            return outcome;
        }
        Reason suspected = unconfirmed.suspected();
        if (isProof(suspected, ids.remove(event.id()))) {
            // Rights belong to the exchange and can be granted again: as if the exchange were missing.
            return suspected == Reason.FORBIDDEN
                    ? new Outcome.Returned(suspected, unconfirmed.detail())
                    : new Outcome.Refused(suspected, unconfirmed.detail());
        }
        if (ids.size() >= MOST) {
            ids.clear();
        }
        ids.put(event.id(), suspected);
        return outcome;
    }

    /** An event that was suspected of closing its channel was alone on the channel, but not on the connection. */
    private static boolean isProof(Reason suspected, @Nullable Reason before) {
        return before != null && (suspected != Reason.CLOSES_CONNECTION || before == Reason.CLOSES_CONNECTION);
    }
}
