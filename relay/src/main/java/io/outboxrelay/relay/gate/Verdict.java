package io.outboxrelay.relay.gate;

import io.outboxrelay.relay.lane.Outcome;
import io.outboxrelay.relay.lane.Reason;

/** What the gate says about an event. */
sealed interface Verdict {

    /** It may be published. */
    record Passed() implements Verdict {}

    /** It must not be published: its schema is unknown or incompatible. */
    record Refused(Reason reason, String detail) implements Verdict {}

    /**
     * That is not known now.
     *
     * @param detail why not
     * @param underWay whether a lookup goes on whose verdict will be for this event
     */
    record Waiting(String detail, boolean underWay) implements Verdict {}

    Verdict PASSED = new Passed();

    /** Returns it as the lane understands it; only for those that do not let the event pass. */
    static Outcome outcome(Verdict verdict) {
        if (verdict instanceof Refused refused) {
            return new Outcome.Refused(refused.reason(), refused.detail());
        }
        if (verdict instanceof Waiting waiting) {
            return new Outcome.Nacked(Reason.SCHEMA_UNCHECKED, waiting.detail());
        }
        throw new IllegalArgumentException("an event that passes has no outcome yet");
    }
}
