package io.outboxrelay.relay.lane;

import java.util.HashMap;
import java.util.Map;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * The events that were unanswered when the broker closed the channel, or the connection, by itself. One of them may be the
 * cause, so each is published alone; if it is closed again it was that one. Where the connection was closed, which all
 * lanes share, alone means on a connection of the lane's own: otherwise another lane's event may have been the cause.
 */
final class Suspects {

    /** More than a lane can have in flight; older ones are forgotten and, if guilty, suspected again. */
    private static final int MOST = 10_000;

    private final Map<UUID, Reason> ids = new HashMap<>();

    boolean contains(Event event) {
        return !ids.isEmpty() && ids.containsKey(event.id());
    }

    /** Returns whether there are any that may have closed the connection. */
    boolean closeConnections() {
        return ids.containsValue(Reason.CLOSES_CONNECTION);
    }

    /** It is not to be published any more. */
    void forget(Event event) {
        if (!ids.isEmpty()) {
            ids.remove(event.id());
        }
    }

    /** None of them is there any more. */
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
            // A right is a matter of the exchange, and may be given back: as if the exchange were missing.
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

    /** Who was suspected to close its channel was alone on that, but not on the connection. */
    private static boolean isProof(Reason suspected, @Nullable Reason before) {
        return before != null && (suspected != Reason.CLOSES_CONNECTION || before == Reason.CLOSES_CONNECTION);
    }
}
