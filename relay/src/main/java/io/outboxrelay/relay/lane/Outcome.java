package io.outboxrelay.relay.lane;

import org.jspecify.annotations.Nullable;

/** What became of one published event. */
public sealed interface Outcome {

    /** The broker has routed the event and taken responsibility for it. */
    record Confirmed() implements Outcome {}

    /**
     * The broker found no queue, or no exchange, to put the event into.
     *
     * @param mayBeDown whether its queue may exist and be down: what is there to say so does not answer
     */
    record Returned(Reason reason, String detail, boolean mayBeDown) implements Failure {

        /** For a reason that is not in doubt. */
        public Returned(Reason reason, String detail) {
            this(reason, detail, false);
        }
    }

    /** The relay itself will not send the event. */
    record Refused(Reason reason, String detail) implements Failure {}

    /**
     * Nobody is against the event, and it cannot be taken now: the broker said no, for instance because a queue is full, or
     * its schema cannot be looked up.
     */
    record Nacked(Reason reason, String detail) implements Failure {

        /** The broker's no. */
        public Nacked(String detail) {
            this(Reason.NACKED, detail);
        }
    }

    /**
     * The broker did not answer: whether it has the event is not known, so it is published again.
     *
     * @param detail what happened instead
     * @param suspected what it would be refused for if it was the cause: the broker closed channel or connection by itself
     *     while the event was unanswered; null when it has nothing to do with the event
     */
    record Unconfirmed(String detail, @Nullable Reason suspected) implements Outcome {

        /** Unanswered for a reason that has nothing to do with the event. */
        public Unconfirmed(String detail) {
            this(detail, null);
        }
    }

    /** An answer that keeps the event from being published now. */
    sealed interface Failure extends Outcome {

        /** Returns why, in one word. */
        Reason reason();

        /** Returns why, in a sentence without payload or header values. */
        String detail();
    }

    /** The only confirmation there is. */
    Outcome CONFIRMED = new Confirmed();
}
