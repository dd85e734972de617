package io.outboxrelay.relay.lane;

import org.jspecify.annotations.Nullable;

/** The answer to one published event. */
public sealed interface Outcome {

    /** The broker has routed the event and taken responsibility for it. */
    record Confirmed() implements Outcome {}

    /**
     * The broker found no queue, or no exchange, for the event.
     *
     * @param mayBeDown whether its queue may exist and be down: the management API, which would know, does not answer
     */
    record Returned(Reason reason, String detail, boolean mayBeDown) implements Failure {

        /** For a reason that is certain. */
        public Returned(Reason reason, String detail) {
            this(reason, detail, false);
        }
    }

    /** The relay itself will not send the event. */
    record Refused(Reason reason, String detail) implements Failure {}

    /**
     * The event is valid and cannot be taken now: the broker nacked it, for instance because a queue is full, or its schema
     * cannot be looked up.
     */
    record Nacked(Reason reason, String detail) implements Failure {

        /** The broker's nack. */
        public Nacked(String detail) {
            this(Reason.NACKED, detail);
        }
    }

    /**
     * The broker did not answer: it may have the event or not, so the event is published again.
     *
     * @param detail what happened instead
     * @param suspected why the event would be refused if it was the cause: the broker closed the channel or the connection
     *     while the event was unanswered; null when the event cannot be the cause
     */
    record Unconfirmed(String detail, @Nullable Reason suspected) implements Outcome {

        /** Unanswered for a reason that the event cannot have caused. */
        public Unconfirmed(String detail) {
            this(detail, null);
        }
    }

    /** An answer that prevents the event from being published now. */
    sealed interface Failure extends Outcome {

        /** Returns why, in one word. */
        Reason reason();

        /** Returns why, in a sentence without payload or header values. */
        String detail();
    }

    /** The only instance that is needed. */
    Outcome CONFIRMED = new Confirmed();
}
