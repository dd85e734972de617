package io.outboxrelay.relay.lane;

import java.util.Locale;

/** Why an event is not published: the words of the column {@code reason}, of metrics and of commands. */
public enum Reason {
    /** The exchange has no queue for it. */
    UNROUTABLE,
    /** No queue took it, and a queue of its virtual host is down, which may be the one. */
    QUEUE_DOWN,
    /** The exchange does not exist. */
    EXCHANGE_MISSING,
    /** The broker took it and said no: a queue is full, or its node is down. */
    NACKED,
    /** The broker has it and says neither yes nor no; a quorum queue may have lost its majority. */
    UNANSWERED,
    /** Its payload is larger than may be published. */
    TOO_LARGE,
    /** It cannot be written as a message: headers, names or times that the protocol has no place for. */
    NOT_ENCODABLE,
    /** Its row has a value that is no text, no time, or missing: there is nothing to make a message of. */
    UNREADABLE,
    /** The broker's user may not write to the exchange. */
    FORBIDDEN,
    /** The broker closes the channel whenever this event is published. */
    CLOSES_CHANNEL,
    /** The broker closes the whole connection whenever this event is published. */
    CLOSES_CONNECTION,
    /** No registered version of its subject is what it was written with. */
    SCHEMA_UNKNOWN,
    /** Its schema breaks what its subject promises to consumers. */
    SCHEMA_INCOMPATIBLE,
    /** Its schema was not looked up yet: whoever knows the schemas does not answer. */
    SCHEMA_UNCHECKED,
    /** A person has paused its route. */
    PAUSED;

    /** Returns whether it is the broker that returns such an event: what ends it is not a change to the event. */
    boolean isOfReturns() {
        return this == UNROUTABLE || this == EXCHANGE_MISSING || this == FORBIDDEN;
    }

    /** Returns the word that is stored and shown, such as {@code exchange-missing}. */
    public String word() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }
}
