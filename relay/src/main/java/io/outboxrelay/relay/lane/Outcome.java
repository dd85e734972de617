package io.outboxrelay.relay.lane;

/** What became of one published event. */
public sealed interface Outcome {

    /** The broker has routed the event and taken responsibility for it. */
    record Confirmed() implements Outcome {}

    /** The broker found no queue, or no exchange, to put the event into. */
    record Returned(String detail) implements Outcome {}

    /** The relay itself will not send the event. */
    record Refused(String detail) implements Outcome {}

    /** The broker took the event and said no, for instance because a queue is full. */
    record Nacked(String detail) implements Outcome {}

    /** The broker did not answer: whether it has the event is not known, so it is published again. */
    record Unconfirmed(String detail) implements Outcome {}

    /** The only confirmation there is. */
    Outcome CONFIRMED = new Confirmed();
}
