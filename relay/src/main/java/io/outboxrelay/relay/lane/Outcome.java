package io.outboxrelay.relay.lane;

import java.util.Locale;
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
    record Returned(Reason reason, String detail, boolean mayBeDown) implements NotPublished {

        /** For a reason that is certain. */
        public Returned(Reason reason, String detail) {
            this(reason, detail, false);
        }
    }

    /** The relay itself will not send the event. */
    record Refused(Reason reason, String detail) implements NotPublished {}

    /**
     * The event is valid and cannot be taken now: the broker nacked it, for instance because a queue is full, or its
     * schema cannot be looked up.
     */
    record Nacked(Reason reason, String detail) implements NotPublished {

        /** The broker's nack. */
        public Nacked(String detail) {
            this(Reason.NACKED, detail);
        }
    }

    /**
     * The broker did not answer: it may have the event or not, so the event is published again.
     *
     * @param detail what happened instead
     * @param suspected why the event would be refused if it was the cause: the broker closed the channel or the
     *     connection while the event was unanswered; null when the event cannot be the cause
     */
    record Unconfirmed(String detail, @Nullable Reason suspected) implements Outcome {

        /** Unanswered for a reason that the event cannot have caused. */
        public Unconfirmed(String detail) {
            this(detail, null);
        }
    }

    /** An answer that prevents the event from being published now. */
    sealed interface NotPublished extends Outcome {

        /** Returns why, in one word. */
        Reason reason();

        /** Returns why, in a sentence without payload or header values. */
        String detail();
    }

    /** The only instance that is needed. */
    Outcome CONFIRMED = new Confirmed();

    /** Why an event is not published: the words of the column {@code reason}, of metrics and of commands. */
    public enum Reason {
        /** The exchange has no queue for it. */
        UNROUTABLE,
        /** No queue took it, and a queue of its virtual host is down, which may be its queue. */
        QUEUE_DOWN,
        /** The exchange does not exist. */
        EXCHANGE_MISSING,
        /** The broker nacked it: a queue is full, or its node is down. */
        NACKED,
        /** The broker has it and neither confirms nor nacks it; a quorum queue may have lost its majority. */
        UNANSWERED,
        /** Its payload is larger than may be published. */
        TOO_LARGE,
        /** It cannot be encoded as a message: the protocol cannot express its headers, names or times. */
        NOT_ENCODABLE,
        /** Its row has a value that cannot be read as a text or a time, or is missing. */
        UNREADABLE,
        /** The broker's user may not write to the exchange. */
        FORBIDDEN,
        /** The broker closes the channel whenever this event is published. */
        CLOSES_CHANNEL,
        /** The broker closes the whole connection whenever this event is published. */
        CLOSES_CONNECTION,
        /** The schema that it was written with is not registered for its subject. */
        SCHEMA_UNKNOWN,
        /** Its schema is not compatible with the earlier versions of its subject. */
        SCHEMA_INCOMPATIBLE,
        /** Its schema could not be looked up yet: the registry does not answer. */
        SCHEMA_UNCHECKED,
        /** A person has paused its route. */
        PAUSED;

        /** Returns whether the broker returns such an event: the cause ends without a change to the event. */
        boolean isOfReturns() {
            return this == UNROUTABLE || this == EXCHANGE_MISSING || this == FORBIDDEN;
        }

        /** Returns the word that is stored and shown, such as {@code exchange-missing}. */
        public String word() {
            return name().toLowerCase(Locale.ROOT).replace('_', '-');
        }
    }
}
