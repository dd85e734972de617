package io.outboxrelay.relay.lane;

import java.util.HashSet;
import java.util.Set;
import java.util.UUID;

/**
 * The events that were unanswered when the broker closed the channel by itself. One of them may be the cause, so each is
 * published alone; if the channel is closed again it was that one.
 */
final class Suspects {

    /** More than a lane can have in flight; older ones are forgotten and, if guilty, suspected again. */
    private static final int MOST = 10_000;

    private final Set<UUID> ids = new HashSet<>();

    boolean contains(Event event) {
        return !ids.isEmpty() && ids.contains(event.id());
    }

    /**
     * Judges the answer to an event that is no longer in flight.
     *
     * @return the answer, or a refusal if the event has closed the channel while it was published alone
     */
    Outcome judge(Event event, Outcome outcome) {
        boolean suspect = outcome instanceof Outcome.Unconfirmed unconfirmed && unconfirmed.suspect();
        if (!suspect) {
            if (!ids.isEmpty()) {
                ids.remove(event.id());
            }
            return outcome;
        }
        if (ids.remove(event.id())) {
            return new Outcome.Refused(Reason.CLOSES_CHANNEL, ((Outcome.Unconfirmed) outcome).detail());
        }
        if (ids.size() >= MOST) {
            ids.clear();
        }
        ids.add(event.id());
        return outcome;
    }
}
