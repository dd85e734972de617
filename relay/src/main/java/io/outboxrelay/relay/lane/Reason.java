package io.outboxrelay.relay.lane;

import java.util.Locale;

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
